/**
 * Reads randomly damaged files of every format that the package reads:
 *
 *     node test/harness/fuzz.mjs [--files 20000] [--seed 1] [--only npz]
 *
 * Each file must be read or refused with a MagnitudeEdgeError; it must take at most a second of CPU time; and if the
 * format has checksums, what is read must be what was written. Prints what was tried; the exit status is 1 if a file
 * violates this. Every file can be recreated from its number: --seed N --files 1 --first K --only FORMAT.
 *
 * The files are read in a separate process, so that one that never ends can be told from a slow one.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { clearTimeout, setTimeout } from 'node:timers';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/** Seconds without a sign of life after which a read counts as endless; well above what any busy machine needs. */
const PATIENCE = 120;

const { values } = parseArgs({
  options: {
    files: { type: 'string', default: '20000' },
    first: { type: 'string', default: '0' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
  },
});
const reader = fileURLToPath(new URL('read-damaged.mjs', import.meta.url));
const end = Number(values.first) + Number(values.files);

/** @type {Record<string, Record<string, number>>} format -> outcome -> number of files */
const counts = {};
/** @type {string[]} */
const faults = [];
for (let next = Number(values.first); next < end;) next = await readFrom(next);
for (const [format, outcomes] of Object.entries(counts)) {
  const told = Object.entries(outcomes).map(([outcome, count]) => `${count} ${outcome}`);
  console.log(`${format.padEnd(22)} ${told.join(', ')}`);
}
for (const fault of faults) console.log(`FAULT  ${fault}`);
console.log(`${end - Number(values.first)} files, seed ${values.seed}: ${faults.length} faults`);
process.exitCode = faults.length > 0 ? 1 : 0;

/**
 * Reads files in a separate process, from number `first` on.
 * @param {number} first
 * @returns {Promise<number>} the number to continue with: `end`, or the one after a file that ended the process
 */
async function readFrom(first) {
  const args = [reader, String(first), String(end), values.seed, values.only ?? ''];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let current = first;
  let begun = false;
  let silent = setTimeout(() => undefined, 0);
  const restart = () => {
    clearTimeout(silent);
    silent = setTimeout(() => child.kill('SIGKILL'), PATIENCE * 1000);
  };
  restart();
  const closed = new Promise((resolve) => child.once('close', (code) => resolve(code)));
  for await (const line of createInterface({ input: child.stdout })) {
    restart();
    begun = true;
    const { file, format, outcome, fault } = JSON.parse(line);
    current = file + 1;
    const outcomes = (counts[format] ??= {});
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    if (fault) faults.push(`file ${file}, ${format}: ${fault}`);
  }
  clearTimeout(silent);
  if ((await closed) === 0) return end;
  if (!begun && first === Number(values.first)) {
    faults.push('the undamaged files could not be read');
    return end;
  }
  faults.push(`file ${current}: the process that read it ended, or was silent for ${PATIENCE} s`);
  return current + 1;
}
