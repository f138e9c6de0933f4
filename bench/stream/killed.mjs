/**
 * A long run of the command from Parquet, killed (SIGKILL) and resumed, beside one that nobody stops: whether the two are equal to
 * the bit, and the memory over time. Needs `npm run build`, and room for the data (132 bytes a sample) in the temporary folder.
 *
 *     npm run bench -- stream                                  # 1e6 samples of 1,000 nodes, killed twice
 *     npm run bench -- stream --samples 100000 --kills 5
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { readOptions } from '../shared/options.mjs';
import { dataColumns, modelOf, writeParquet } from './inputs.mjs';

const {
  samples,
  nodes,
  kills,
  every,
  'group-rows': groupRows,
} = readOptions({
  samples: 1_000_000,
  nodes: 1000,
  kills: 2,
  /** Seconds between checkpoints */
  every: 20,
  'group-rows': 20_000,
});
const command = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'magnitude-edge-stream-'));
const MiB = 2 ** 20;

/**
 * Runs the command to its end, or kills it once so many samples are done.
 * @param {readonly string[]} more
 * @param {number} killAt
 */
async function run(more, killAt = Infinity) {
  const args = [
    'infer',
    '--model',
    'm.onnx',
    '--data',
    'd.parquet',
    '--backend',
    'cpu',
    '--top',
    '1000',
    ...more,
  ];
  const child = spawn('nice', ['-n', '10', process.execPath, command, ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const start = performance.now();
  /** @type {{ samples: number, mebibytes: number }[]} */
  const memory = [];
  let text = '';
  child.stderr.setEncoding('utf8').on('data', (/** @type {string} */ piece) => {
    text += piece;
    const done = Number(/, (\d+) samples/.exec(piece)?.[1] ?? NaN);
    if (Number.isNaN(done)) return;
    memory.push({ samples: done, mebibytes: residentMebibytes(child.pid) });
    if (done >= killAt) child.kill('SIGKILL');
  });
  child.stdout.resume();
  const status = await new Promise((resolve) => child.on('close', resolve));
  return { status, memory, text, seconds: (performance.now() - start) / 1000 };
}

/** @param {number | undefined} pid */
function residentMebibytes(pid) {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
  } catch {
    return NaN;
  }
}

/** @param {{ samples: number, mebibytes: number }[]} memory */
function byQuarters(memory) {
  const quarter = Math.ceil(memory.length / 4);
  return [0, 1, 2, 3].map((q) => {
    const part = memory.slice(q * quarter, (q + 1) * quarter).map(({ mebibytes }) => mebibytes);
    return `${Math.round(Math.max(...part.filter((value) => value > 0)))}`.replace('-Infinity', 'none');
  });
}

try {
  writeFileSync(join(folder, 'm.onnx'), modelOf(nodes));
  await writeParquet(join(folder, 'd.parquet'), { rows: samples, groupRows, columns: dataColumns });
  const { size } = statSync(join(folder, 'd.parquet'));
  console.log(
    `${cpus()[0]?.model}, ${cpus().length} threads, Node ${process.version}, load ${loadavg()[0]?.toFixed(1)}`,
  );
  console.log(`${samples} samples of ${nodes} nodes, Parquet of ${Math.round(size / MiB)} MiB`);
  const whole = await run(['--out', 'whole.parquet', '--stats-out', 'whole.arrow']);
  if (whole.status !== 0) throw new Error(whole.text);
  console.log(
    `without a break: ${whole.seconds.toFixed(0)} s; most MiB in each quarter: ${byQuarters(whole.memory).join(', ')}`,
  );
  const checkpoint = ['--checkpoint', 'c.arrow', '--checkpoint-every', String(every), '--resume'];
  for (let kill = 0; ; kill++) {
    const killAt = kill < kills ? ((kill + 1) * samples) / (kills + 1) : Infinity;
    const { status, memory, seconds, text } = await run(
      [...checkpoint, '--out', 'killed.parquet', '--stats-out', 'killed.arrow'],
      killAt,
    );
    const from = /goes on from .*: (\d+) samples/.exec(text)?.[1] ?? '0';
    const what = status === 0 ? 'to the end' : `killed at ${memory.at(-1)?.samples} samples`;
    console.log(
      `from ${from} samples, ${what}: ${seconds.toFixed(0)} s; most MiB in each quarter: ${byQuarters(memory).join(', ')}`,
    );
    if (status === 0) break;
    if (kill >= kills) throw new Error(text);
  }
  for (const kind of ['arrow', 'parquet']) {
    const [a, b] = /** @type {const} */ ([`whole.${kind}`, `killed.${kind}`]);
    const equal = readFileSync(join(folder, a)).equals(readFileSync(join(folder, b)));
    console.log(`${a} and ${b}: ${equal ? 'equal to the bit' : 'DIFFERENT'}`);
    if (!equal) process.exitCode = 1;
  }
  console.log(`load ${loadavg()[0]?.toFixed(1)} at the end`);
} finally {
  rmSync(folder, { recursive: true });
}
