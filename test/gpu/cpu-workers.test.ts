import { expect, it } from 'vitest';
import { createCpuEngine, type Engine } from '../../src/statistics.ts';
import { channelBatch, request, shape } from '../support/cpu-workers-case.ts';
import * as large from '../support/large-case.ts';

it('workers of a page hold and score what its own thread does, to the bit', async () => {
  const pooled = createCpuEngine(shape, { workers: 2 });
  const local = createCpuEngine(shape, { workers: 0 });
  for (const engine of [pooled, local]) {
    await engine.accumulate(channelBatch(200, 1));
    await engine.accumulate(channelBatch(130, 3));
    expect(await engine.flush()).toBe(330);
  }
  expect(pooled.diagnostics.notes).toHaveLength(2);
  expect(pooled.diagnostics.notes[0]).toContain('2 workers');
  expect(await pooled.statistics()).toEqual(await local.statistics());
  expect(await pooled.score(request)).toEqual(await local.score(request));
  await Promise.all([pooled.release(), local.release()]);
});

it('without room for sums, workers of a page form scores panel by panel, to the bit, also after one was given up', async () => {
  const engines = [large.memory, Infinity].map((memory) =>
    createCpuEngine(large.shape, { workers: 2, memory }),
  );
  for (const engine of engines) await engine.accumulateMagnitudes(large.largeBatch(1));
  const [panels, sums] = engines as [Engine, Engine];
  const controller = new AbortController();
  const givenUp = panels.scores({ ...large.largeRequest, signal: controller.signal });
  await new Promise((resolve) => setTimeout(resolve));
  controller.abort(new Error('enough'));
  await expect(givenUp).rejects.toThrow('enough');
  const [found, expected] = await Promise.all(
    [panels, sums].map(async (engine) => (await engine.scores(large.largeRequest)).aggregate()),
  );
  expect(panels.diagnostics.notes.at(-1)).toContain('panel by panel');
  expect(found!.length).toBe(large.shape.nodes ** 2);
  expect(found!.findIndex((score, e) => !Object.is(score, expected![e]))).toBe(-1);
  await Promise.all(engines.map((engine) => engine.release()));
});

it('a page that forbids blob workers is served by its own thread, which says so', async () => {
  // The policy can be added to a document, not taken away: a frame of its own.
  const frame = document.createElement('iframe');
  frame.srcdoc =
    '<meta http-equiv="Content-Security-Policy" content="worker-src \'self\'"><script>globalThis.ready = true</script>';
  const loaded = new Promise((resolve) => (frame.onload = resolve));
  document.body.append(frame);
  await loaded;
  const inPage = globalThis.Worker;
  const inFrame = (frame.contentWindow as unknown as { Worker: typeof Worker }).Worker;
  globalThis.Worker = inFrame;
  try {
    const engine = createCpuEngine(shape, { workers: 2 });
    await engine.accumulate(channelBatch(20, 1));
    expect(await engine.flush()).toBe(20);
    expect(engine.diagnostics.notes[0]).toContain('one thread');
    expect(engine.diagnostics.warnings).toEqual([expect.stringContaining('Workers cannot be used here')]);
    await engine.release();
  } finally {
    globalThis.Worker = inPage;
    frame.remove();
  }
});
