import { expect, test } from 'vitest';
import { ChannelThreads } from '../../../src/engine/channels/channel-threads.ts';
import { createCpuEngine } from '../../../src/statistics.ts';
import { randomNumbers } from '../../support/random-numbers.ts';

test('regressions of magnitudes in workers are those of the calling thread to the bit, and an abort ends them', async () => {
  const [nodes, pairs, size] = [70, 3, 90];
  const random = randomNumbers(11);
  const values = () => Float32Array.from({ length: size * nodes }, () => Math.abs(random()));
  const sides = () => Array.from({ length: pairs }, values);
  const engine = createCpuEngine({ nodes, pairs, reduction: 'l1' });
  await engine.accumulateMagnitudes({ size, x: sides(), y: sides() });
  const { pairs: sums, samples } = await engine.statistics();
  await engine.release();
  const regressions = sums.map((pair) => ({ pair, samples, size: samples, settings: { lambda: 0.3 } }));
  const here = await new ChannelThreads(0).magnitudes(regressions);
  expect(here.every(({ beta }) => beta.every((value) => Math.abs(value) < 2))).toBe(true);

  const threads = new ChannelThreads(2);
  try {
    await threads.open(1e9);
    expect(threads.note).toMatch(/2 workers$/);
    expect(await threads.magnitudes(regressions)).toEqual(here);
    // What was handed over was a copy.
    expect(sums[0]!.sumXX).toHaveLength(nodes ** 2);
    const controller = new AbortController();
    const aborted = threads.magnitudes(regressions, controller.signal);
    controller.abort(new Error('enough'));
    await expect(aborted).rejects.toThrow('enough');
  } finally {
    threads.release();
  }
});
