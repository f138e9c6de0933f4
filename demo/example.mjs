/**
 * The bundled example, headless: `npm run example`. Runs the command as anyone would, and then asks how well the edges
 * that were held out of the network's graph come back. Only public parts of the package are used.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { decodeTable, rocAuc } from 'magnitude-edge';

const root = fileURLToPath(new URL('../', import.meta.url));
const files = 'demo/public/example';
const heldOut = `${files}/heldout.csv`;
const scores = ['corr', 'partial', 'channel'];

/**
 * Runs one command from the root of the package and gives back the JSON that it prints.
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

/**
 * ROC AUC of the held-out edges against the pairs that are no edges at all; what the model knew is left out.
 * @param {string} path an edge table
 */
async function aucOfHeldOut(path) {
  const table = await decodeTable(readFileSync(`${root}/${path}`), 'csv', path);
  const pairs = readFileSync(`${root}/${heldOut}`, 'utf8').trim().split(/\r?\n/).slice(1);
  const positives = new Set(pairs);
  const rows = Array.from(table).filter((row) => !row.has_edge);
  return rocAuc(
    Float64Array.from(rows, (row) => row.corr ?? row.score),
    rows.map((row) => positives.has(`${row.src_func},${row.dst_func}`)),
  );
}

mkdirSync(`${root}/out`, { recursive: true });
console.log(
  'A converging-tier network: 12 inputs, 24 functions, 12 outputs; 16 of 33 edges between functions held out.\n',
);

const results = [];
for (const score of scores) {
  const out = `out/edges-${score}.csv`;
  const input = ['--model', `${files}/model.onnx`, '--data', `${files}/data.npz`];
  const run = magnitudeEdge('infer', ...input, '--score', score, '--out', out);
  const ranking = magnitudeEdge('rank', '--edges', out, '--positives', heldOut);
  results.push({ score, out, run, ranking, auc: await aucOfHeldOut(out) });
}

/**
 * Rows under a header, in columns as wide as they must be.
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
      // Scores of channels have none until targets are shuffled.
      q === null ? '' : q < 1e-300 ? '< 1e-300' : q.toExponential(1),
      edge ? 'yes' : '',
    ]),
  ]);
}

console.log('\nHow well the held-out edges come back');
const measures = ['mrr', 'top@1', 'top@3', 'top@5'];
print([
  ['score', 'ROC AUC', ...measures],
  ...results.map(({ score, auc, ranking }) => [
    score,
    ...[auc, ...measures.map((name) => ranking[name])].map((value) => Number(value).toFixed(3)),
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
