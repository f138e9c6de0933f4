/** Runs one measurement of one side in a process of its own, so that its peak memory is its own. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { vulkanEnvironment } from '../shared/dawn.mjs';
import { median } from '../shared/median.mjs';
import { python } from '../shared/python.mjs';

/** @typedef {{ wall: number, cpu: number }} Taken seconds by the clock, and seconds of all cores together */
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
 * @param {{ folder: string, threads: number }} setting a folder for the job's description; threads of numpy
 * @returns {Measured}
 */
export function measure(side, command, job, { folder, threads }) {
  const file = `${folder}/job.json`;
  writeFileSync(file, JSON.stringify(job));
  // Node's own flags with it: those that run.mjs sets, as the command does.
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
 * Medians of some parts of a measurement, added up. The port has no first table of its own.
 * @param {Measured} of
 * @param {Part[]} parts
 * @param {'wall' | 'cpu'} kind
 */
export function total(of, parts, kind) {
  return parts.reduce((sum, part) => sum + median((of[part] ?? of.evaluate).map((taken) => taken[kind])), 0);
}
