/**
 * `npm run harness`: the suite's tests with random problems, damage and interruptions, at full length. Takes some hours
 * on two cores, more than one of them for the losses.
 *
 *     npm run harness                 # all of it
 *     npm run harness -- fuzz         # one part: problems, turns, losses, kills, fuzz
 *
 * The suite runs the same tests in their short form; docs/trust.md says what was tried and what was found.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const vitest = ['node_modules/vitest/vitest.mjs', 'run'];

/** @type {Readonly<Record<string, { readonly args: readonly string[], readonly env?: Readonly<Record<string, string>> }>>} */
const parts = {
  problems: {
    args: [
      ...vitest,
      'test/unit/harness/differential.test.ts',
      'test/gpu/differential.test.ts',
      '--testTimeout=7200000',
    ],
    env: { VITE_TRIAL_FACTOR: '20' },
  },
  turns: {
    args: [
      ...vitest,
      'test/unit/inferer/interleavings.test.ts',
      'test/unit/engine/order-of-calls.test.ts',
      '--testTimeout=7200000',
    ],
    env: { INTERLEAVINGS: '3000' },
  },
  losses: {
    args: [...vitest, 'test/gpu/device-loss.test.ts', '--testTimeout=7200000'],
    env: { VITE_FORCED_LOSSES: '400' },
  },
  kills: {
    args: [
      ...vitest,
      'test/e2e/command-files.test.ts',
      'test/e2e/checkpoints.test.ts',
      'test/e2e/explorer-hang.test.ts',
      '--testTimeout=7200000',
    ],
    env: { KILLS: '100' },
  },
  fuzz: { args: ['test/harness/fuzz.mjs', '--files', '20000'] },
};

const [chosen] = process.argv.slice(2);
if (chosen !== undefined && !Object.hasOwn(parts, chosen)) {
  console.error(`There is no part '${chosen}'; the parts are ${Object.keys(parts).join(', ')}.`);
  process.exit(2);
}
const failed = Object.entries(parts)
  .filter(([name]) => chosen === undefined || name === chosen)
  .filter(([name, { args, env }]) => {
    console.log(`\n# ${name}\n`);
    const options = { cwd: root, stdio: /** @type {const} */ ('inherit'), env: { ...process.env, ...env } };
    return spawnSync(process.execPath, [...args], options).status !== 0;
  })
  .map(([name]) => name);
console.log(failed.length === 0 ? '\nAll parts passed.' : `\nFailed: ${failed.join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;
