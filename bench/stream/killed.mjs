/**
 * A long run of the command from Parquet, killed (SIGKILL) at random moments and resumed, and at the same time an
 * undisturbed one: whether the two are equal bit for bit, and the memory over time. Needs `npm run build` and
 * `npm run build:python`, a Python with torch and pyarrow (PYTHON), and disk space for the data: 1.3 KB per sample.
 *
 *     npm run bench -- stream                                  # 1e6 samples of 1,000 nodes, killed twice
 *     npm run bench -- stream --samples 100000 --kills 5
 *     npm run bench -- stream --folder /somewhere/big          # keeps its files there, for cluster_killed.py
 *
 * bench/results/stream.json has the memory every few seconds; --seed repeats the moments.
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout } from 'node:timers';
import { fileURLToPath } from 'node:url';
import { readOptions } from '../shared/options.mjs';
import { generator } from '../shared/problem.mjs';
import { python } from '../shared/python.mjs';
import { machine, printTable, writeResult } from '../shared/report.mjs';

const {
  samples,
  kills,
  every,
  folder: given,
  seed,
} = readOptions({
  samples: 1_000_000,
  kills: 2,
  /** Seconds between checkpoints */
  every: 20,
  folder: '',
  seed: Date.now() % 1e6,
});
const here = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url));
const command = here('../../dist/cli.js');
const folder = given === '' ? mkdtempSync(join(tmpdir(), 'magnitude-edge-stream-')) : given;
const random = generator(seed);

/** @typedef {{ seconds: number, samples: number, MiB: number, coreSeconds: number }[]} Over the course of a run */

/**
 * Runs the command to its end, or kills it within a second after `killAt` samples are done.
 * @param {readonly string[]} more
 * @param {number} killAt
 */
async function run(more, killAt = Infinity) {
  const input = ['--model', 'm.onnx', '--data', 'd.parquet', '--backend', 'cpu', '--top', '1000'];
  const child = spawn(process.execPath, [command, 'infer', ...input, ...more], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const start = performance.now();
  /** @type {Over} */
  const over = [];
  let text = '';
  let peak = 0;
  child.stderr.setEncoding('utf8').on('data', (/** @type {string} */ piece) => {
    text += piece;
    const done = Number(/, (\d+) samples/.exec(piece)?.[1] ?? NaN);
    const used = usage(child.pid ?? NaN);
    if (Number.isNaN(done) || !used) return;
    peak = used.peak;
    over.push({ seconds: secondsSince(start), samples: done, MiB: used.MiB, coreSeconds: used.coreSeconds });
    if (done < killAt) return;
    killAt = Infinity;
    setTimeout(() => child.kill('SIGKILL'), 1000 * random());
  });
  const status = await new Promise((resolve) => child.on('close', resolve));
  return { status, over, text, peak, seconds: secondsSince(start) };
}

/** @param {number} start */
const secondsSince = (start) => Math.round((performance.now() - start) / 100) / 10;

/** Current and peak memory of a process, and its CPU time; undefined once it is gone. @param {number} pid */
function usage(pid) {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const mebibytes = (/** @type {string} */ what) =>
      Math.round(Number(new RegExp(`${what}:\\s+(\\d+)`).exec(status)?.[1]) / 1024);
    // Fields after the name, which is in parentheses and may hold anything.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/.*\) /s, '').split(' ');
    const coreSeconds = (Number(fields[11]) + Number(fields[12])) / 100;
    return { MiB: mebibytes('VmRSS'), peak: mebibytes('VmHWM'), coreSeconds };
  } catch {
    return undefined;
  }
}

/** Peak memory in each quarter of a run. @param {{ MiB: number }[]} over */
function byQuarters(over) {
  const quarter = Math.ceil(over.length / 4);
  return [0, 1, 2, 3]
    .map((q) => Math.max(0, ...over.slice(q * quarter, (q + 1) * quarter).map(({ MiB }) => MiB)) || 'none')
    .join(', ');
}

/** About `count` of the items, the last included. @template T @param {readonly T[]} all @param {number} count */
const thinned = (all, count) =>
  all.filter((_, k) => (all.length - 1 - k) % Math.ceil(all.length / count) === 0);

/**
 * Runs to the end, killed on the way at one random moment in each share of the samples.
 * @param {(what: string, done: Awaited<ReturnType<typeof run>>) => void} note
 */
async function killedAndResumed(note) {
  rmSync(join(folder, 'c.arrow'), { force: true });
  const checkpoint = ['--checkpoint', 'c.arrow', '--checkpoint-every', String(every), '--resume'];
  const outputs = ['--out', 'killed.parquet', '--stats-out', 'killed.arrow'];
  for (let kill = 0; ; kill++) {
    const killAt = kill < kills ? ((kill + random()) * samples) / kills : Infinity;
    const done = await run([...checkpoint, ...outputs], killAt);
    note(done.status === 0 ? 'to the end' : 'killed', done);
    if (done.status === 0) return;
    if (kill >= kills) throw new Error(done.text);
  }
}

try {
  if (!existsSync(join(folder, 'd.parquet'))) {
    const env = { ...process.env, PYTHONPATH: here('../../python/src') };
    execFileSync(python(), [here('../python/stream_inputs.py'), folder, String(samples)], {
      stdio: 'inherit',
      env,
    });
  }
  const bytes = statSync(join(folder, 'd.parquet')).size;
  console.log(JSON.stringify({ ...machine(), samples, bytes, seed }));
  /** @type {{ what: string, from: number, to: number, seconds: number, coreSeconds: number, peak: number, over: Over }[]} */
  const runs = [];
  /** @param {string} what @param {Awaited<ReturnType<typeof run>>} done */
  const note = (what, { over, seconds, peak, text }) => {
    const from = Number(/resumes from .*: (\d+) samples/.exec(text)?.[1] ?? 0);
    const { samples: to, coreSeconds } = over.at(-1) ?? { samples: from, coreSeconds: 0 };
    runs.push({ what, from, to, seconds, coreSeconds, peak, over: thinned(over, 40) });
    console.log(`${what}: ${from} to ${to} samples, ${seconds} s, MiB ${byQuarters(over)}, peak ${peak}`);
  };
  const whole = run(['--out', 'whole.parquet', '--stats-out', 'whole.arrow']).then((done) => {
    if (done.status !== 0) throw new Error(done.text);
    note('without a break', done);
  });
  await Promise.all([whole, killedAndResumed(note)]);
  const read = (/** @type {string} */ name) => readFileSync(join(folder, name));
  const equal = {
    statistics: read('whole.arrow').equals(read('killed.arrow')),
    table: read('whole.parquet').equals(read('killed.parquet')),
  };
  printTable(
    ['run', 'samples', 'wall', 'of all cores', 'MiB, most in each quarter', 'peak'],
    runs.map(({ what, from, to, seconds, coreSeconds, peak, over }) => [
      what,
      `${from} to ${to}`,
      `${seconds} s`,
      `${coreSeconds} s`,
      byQuarters(over),
      `${peak} MiB`,
    ]),
  );
  console.log(`Equal to the bit: statistics ${equal.statistics}, table ${equal.table}.`);
  writeResult('stream', { samples, bytes, seed, every, equal, runs });
  if (!equal.statistics || !equal.table) process.exitCode = 1;
} finally {
  if (given === '') rmSync(folder, { recursive: true });
}
