/** Runs one measurement of one side in a separate process, so that its peak memory is its own. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { vulkanEnvironment } from '../shared/dawn.mjs';
import { median } from '../shared/median.mjs';
import { python } from '../shared/python.mjs';

/** @typedef {{ wall: number, cpu: number }} Taken wall-clock seconds, and CPU seconds of all cores */
/**
 * `first`: the first table after the samples, `evaluate`: another one from the same statistics
 * @typedef {{ accumulate: Taken[], first?: Taken[], evaluate: Taken[], fit: Taken[], peakMiB: number,
 *   notes?: string[] }} Measured
 * @typedef {'accumulate' | 'first' | 'evaluate' | 'fit'} Part
 */

const path = (/** @type {string} */ relative) => fileURLToPath(new URL(relative, import.meta.url));

/**
 * @param {'ours' | 'port'} side
 * @param {'evaluate' | 'fit'} command
 * @param {object} job
 * @param {{ folder: string, threads: number }} setting folder for the job's description; number of numpy threads
 * @returns {Measured}
 */
export function measure(side, command, job, { folder, threads }) {
  const file = `${folder}/job.json`;
  writeFileSync(file, JSON.stringify(job));
  // With Node's own flags: those that run.mjs sets, as the command does.
  const [program, ...script] =
    side === 'ours'
      ? [process.execPath, ...process.execArgv, path('./ours.mjs')]
      : [python(), path('./port.py')];
  const env = {
    ...process.env,
    ...vulkanEnvironment(),
    OPENBLAS_NUM_THREADS: String(threads),
    OMP_NUM_THREADS: String(threads),
  };
  const out = execFileSync(program, [...script, command, file], {
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 1 << 28,
  });
  return JSON.parse(out.trim().split('\n').at(-1) ?? '');
}

/**
 * Sum of the medians of some parts of a measurement. The port has no separate first table.
 * @param {Measured} of
 * @param {Part[]} parts
 * @param {'wall' | 'cpu'} kind
 */
export function total(of, parts, kind) {
  return parts.reduce((sum, part) => sum + median((of[part] ?? of.evaluate).map((taken) => taken[kind])), 0);
}
