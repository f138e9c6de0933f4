/**
 * The bundled example, headless: `npm run example`. Runs the command as any user would, then measures how well the
 * edges that were held out of the network's graph are recovered. Only public parts of the package are used.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));
const files = 'demo/public/example';
const heldOut = `${files}/heldout.csv`;
const scores = ['corr', 'partial', 'regression', 'channel', 'channel pooled'];

/**
 * Runs one command from the root of the package and returns the JSON that it prints.
 * @param {string[]} args
 */
function magnitudeEdge(...args) {
  console.log(`$ magnitude-edge ${args.join(' ')}`);
  const run = spawnSync(process.execPath, ['dist/cli.js', ...args, '--json'], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (run.status !== 0) process.exit(run.status ?? 1);
  return JSON.parse(run.stdout);
}

mkdirSync(`${root}/out`, { recursive: true });
console.log(
  'A converging-tier network: 12 inputs, 24 functions, 12 outputs; 16 of 33 edges between functions held out.\n',
);

const results = [];
for (const name of scores) {
  const [score = '', layerAgg = 'mean'] = name.split(' ');
  const out = `out/edges-${name.replace(' ', '-')}.csv`;
  const input = ['--model', `${files}/model.onnx`, '--data', `${files}/data.npz`];
  const run = magnitudeEdge('infer', ...input, '--score', score, '--layer-agg', layerAgg, '--out', out);
  const { recovery } = magnitudeEdge('rank', '--edges', out, '--positives', heldOut, '--top-k', '1,5,20');
  results.push({ score: name, out, run, figures: recovery.figures });
}

/**
 * Prints rows under a header, in columns as wide as their contents.
 * @param {string[][]} rows
 */
function print(rows) {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  for (const row of rows)
    console.log(`  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`);
}

for (const { score, run } of results) {
  console.log(`\nTop edges by ${score}, of ${run.rows} pairs`);
  /** @type {{ src: string, dst: string, corr: number, score?: number, q: number | null, edge: boolean }[]} */
  const edges = run.top;
  print([
    ['source', 'target', 'score', 'q', 'in the graph'],
    ...edges.map(({ src, dst, corr, score = corr, q, edge }) => [
      src,
      dst,
      score.toFixed(4),
      // Channel scores have no q until targets are shuffled.
      q === null ? '' : q < 1e-300 ? '< 1e-300' : q.toExponential(1),
      edge ? 'yes' : '',
    ]),
  ]);
}

console.log('\nHow well the held-out edges come back, among all pairs that are no known edge');
const measures = {
  auc: 'ROC AUC',
  average_precision: 'average precision',
  mrr_by_target: 'MRR',
  'hits@1_by_target': 'top@1',
  'hits@5_by_target': 'top@5',
};
print([
  ['score', ...Object.values(measures)],
  ...results.map(({ score, figures }) => [
    score,
    ...Object.keys(measures).map((name) => Number(figures[name]).toFixed(3)),
  ]),
]);

console.log();
for (const { score, out, run } of results) {
  const { load, fit, evaluate } = run.seconds;
  console.log(
    `${score}: ${run.samples} samples; statistics on ${run.backend} (${run.backendReason}), model on ${run.executionProvider}` +
      `, ${run.threads} thread(s); load ${load} s, fit ${fit} s, evaluate ${evaluate} s; table in ${out}`,
  );
}
