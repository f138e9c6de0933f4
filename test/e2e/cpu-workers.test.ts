import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const library = new URL('../../dist/statistics.js', import.meta.url).href;

/** A program that uses the built package; fails when it does not end by itself. */
async function run(last: string): Promise<string> {
  const program = `
    import { createCpuEngine } from '${library}';
    const engine = createCpuEngine({ nodes: 300, pairs: 4, reduction: 'l1' }, { workers: 2 });
    const layers = () => Array.from({ length: 4 }, () => Float32Array.from({ length: 300 * 50 }, Math.random));
    await engine.accumulateMagnitudes({ size: 50, x: layers(), y: layers() });
    console.log(await engine.flush(), engine.diagnostics.notes.join('; '));
    ${last}`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    timeout: 60_000,
  });
  return stdout;
}

it.each([
  ['released', 'await engine.release();'],
  ['left as it is', ''],
])('a Node process with workers ends by itself when the engine is %s', async (_, last) => {
  expect(await run(last)).toMatch(/^50 float64, .*2 workers/);
});
