/** Common parts of all reports of the benchmark: the machine, units, tables, and a JSON file in bench/results/. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';

/** Folder of the results. */
export const resultsFolder = fileURLToPath(new URL('../results/', import.meta.url));

/** Whether Node was started with the flag that lets V8 make vectors of 256 bits. */
export const revectorized = process.execArgv.includes('--experimental-wasm-revectorize');

/** The machine, and its current load. */
export function machine() {
  return {
    cpu: cpus()[0]?.model ?? 'unknown CPU',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: revectorized ? `${process.version}, revectorized` : process.version,
    load: Number((loadavg()[0] ?? NaN).toFixed(1)),
  };
}

/** Seconds for people. @param {number} value */
export function seconds(value) {
  return value < 1 ? `${(value * 1000).toPrecision(3)} ms` : `${value.toFixed(2)} s`;
}

/** `250,500` as numbers. @param {string} list */
export function numbers(list) {
  return list.split(',').map((text) => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < 0) throw new Error(`'${text}' is not a whole number.`);
    return value;
  });
}

/**
 * Writes `results/NAME.json`: date, machine, and what was measured. Results with wider vectors get a name of their own.
 * @param {string} what
 * @param {object} content
 */
export function writeResult(what, content) {
  const name = revectorized ? `${what}-revectorized` : what;
  mkdirSync(resultsFolder, { recursive: true });
  const report = { date: new Date().toISOString(), machine: machine(), ...content };
  writeFileSync(`${resultsFolder}${name}.json`, `${JSON.stringify(report, null, 2)}\n`);
  console.error(`wrote bench/results/${name}.json`);
}

/** A Markdown table. @param {readonly string[]} head @param {readonly (readonly (string | number)[])[]} rows */
export function printTable(head, rows) {
  for (const cells of [head, head.map(() => '---'), ...rows]) console.log(`| ${cells.join(' | ')} |`);
}
