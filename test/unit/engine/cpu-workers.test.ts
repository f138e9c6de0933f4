import { setTimeout } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { createCpuEngine, type Engine, type MagnitudeBatch } from '../../../src/statistics.ts';
import { dealPairs } from '../../../src/engine/cpu/pooled-sums.ts';
import { WorkerClient } from '../../../src/engine/worker-client.ts';
import { channelBatch, magnitudeBatch, request, shape } from '../../support/cpu-workers-case.ts';
import { refusal } from '../../support/refusal.ts';

const engines: Engine[] = [];
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.release();
});

function engineWith(workers: number): Engine {
  const engine = createCpuEngine(shape, { workers });
  engines.push(engine);
  return engine;
}

describe('sums in workers', () => {
  // Each pair is summed by the same code in the same order, whichever thread it is on: equal to the bit.
  it.each([1, 2, 3, 8])('%i workers hold and score what one thread does, to the bit', async (workers) => {
    const [pooled, local] = [engineWith(workers), engineWith(0)];
    for (const engine of [pooled, local]) {
      await engine.accumulate(channelBatch(200, 1));
      await engine.accumulateMagnitudes(magnitudeBatch(7, 2));
      await engine.accumulate(channelBatch(130, 3));
      expect(await engine.flush()).toBe(337);
    }
    expect(await pooled.statistics()).toEqual(await local.statistics());
    for (const score of ['corr', 'partial'] as const) {
      expect(await pooled.score({ ...request, score })).toEqual(await local.score({ ...request, score }));
    }
    expect(pooled.diagnostics.notes).toHaveLength(2);
    const started = workers === 1 ? 'one worker' : `${Math.min(workers, 3)} workers`;
    expect(pooled.diagnostics.notes[0]).toContain(started);
    expect(local.diagnostics.notes[0]).toContain('one thread');
  });

  it('begin with the products while nobody asks for anything, and hold the same', async () => {
    const [pooled, local] = [engineWith(2), engineWith(0)];
    for (const [seed, wait] of [
      [21, 50],
      [22, 0],
      [23, 50],
    ] as const) {
      const batch = magnitudeBatch(700, seed);
      await Promise.all([pooled, local].map((engine) => engine.accumulateMagnitudes(batch)));
      await setTimeout(wait);
    }
    expect(await pooled.score(request)).toEqual(await local.score(request));
    expect(await pooled.statistics()).toEqual(await local.statistics());
  });

  it('merge, forget and begin again', async () => {
    const [pooled, local] = [engineWith(2), engineWith(0)];
    for (const engine of [pooled, local]) {
      await engine.accumulate(channelBatch(20, 4));
      const before = await engine.statistics();
      engine.reset();
      expect(await engine.flush()).toBe(0);
      await engine.accumulate(channelBatch(30, 5));
      await engine.merge(before);
      expect(await engine.flush()).toBe(50);
    }
    expect(await pooled.statistics()).toEqual(await local.statistics());
  });

  it('take a copy of a batch before the call returns, and leave the arrays of the caller alone', async () => {
    const [pooled, local] = [engineWith(2), engineWith(0)];
    const batch = magnitudeBatch(50, 6);
    // Views in the middle of a larger buffer, as a runtime hands them out.
    const whole = new Float32Array(3 * batch.x[0]!.length);
    whole.set(batch.x[0]!, 100);
    const x = [whole.subarray(100, 100 + batch.x[0]!.length), ...batch.x.slice(1)];
    await pooled.accumulateMagnitudes({ ...batch, x });
    whole.fill(0);
    await local.accumulateMagnitudes(batch);
    expect(await pooled.statistics()).toEqual(await local.statistics());
    const statistics = await local.statistics();
    await pooled.merge(statistics);
    expect(statistics).toEqual(await local.statistics());
  });

  it('take the arrays of a transferable batch themselves, but not memory around them', async () => {
    const [pooled, local] = [engineWith(2), engineWith(0)];
    const [channels, magnitudes] = [channelBatch(40, 11), magnitudeBatch(40, 12)];
    const around = new Float32Array(magnitudes.y[1]!.length + 8);
    around.set(magnitudes.y[1]!, 8);
    const y = magnitudes.y.map((own, p) => (p === 1 ? around.subarray(8) : own));
    await local.accumulate({ ...channels, transferable: true });
    await local.accumulateMagnitudes(magnitudes);
    await pooled.accumulate({ ...channels, transferable: true });
    await pooled.accumulateMagnitudes({ ...magnitudes, y, transferable: true });
    expect(await pooled.statistics()).toEqual(await local.statistics());
    const given = [...channels.activations, ...channels.gradients, ...magnitudes.x];
    expect(given.map((values) => (values as Float32Array).byteLength)).toEqual(given.map(() => 0));
    expect(around.byteLength).toBeGreaterThan(0);
  });

  it('refuse a batch that is not finite, and keep what was there', async () => {
    const engine = engineWith(2);
    await engine.accumulateMagnitudes(magnitudeBatch(5, 7));
    const before = await engine.statistics();
    const broken = magnitudeBatch(5, 8);
    broken.y[2]![3] = NaN;
    expect((await refusal(engine.accumulateMagnitudes(broken))).code).toBe('non-finite');
    expect((await refusal(engine.flush())).code).toBe('non-finite');
    expect(await engine.statistics()).toEqual(before);
  });

  it('stop scoring when the signal says so, and score again', async () => {
    const engine = engineWith(2);
    await engine.accumulateMagnitudes(magnitudeBatch(50, 9));
    const controller = new AbortController();
    const scored = engine.score({ ...request, signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(scored).rejects.toThrow('enough');
    expect((await engine.score(request)).perPair).toHaveLength(3);
  });

  it('end with the engine: waiting calls are refused, not left hanging', async () => {
    const engine = engineWith(2);
    await engine.accumulateMagnitudes(magnitudeBatch(50, 10));
    const scored = refusal(engine.score(request));
    const opening = createCpuEngine(shape, { workers: 1 });
    const added = refusal(opening.accumulateMagnitudes(magnitudeBatch(5, 1)));
    await Promise.all([engine.release(), opening.release()]);
    expect((await scored).code).toBe('released');
    expect((await added).code).toBe('released');
    expect((await refusal(engine.flush())).code).toBe('released');
  });

  it('are started by work, not by an engine, and only where they are worth their start', async () => {
    const idle = createCpuEngine({ nodes: 4000, pairs: 4, reduction: 'l1' });
    expect(idle.diagnostics.notes[0]).toContain('not started');
    await idle.release();
    const small = createCpuEngine({ nodes: 24, pairs: 4, reduction: 'l1' });
    expect(small.diagnostics.notes[0]).toContain('one thread');
  });

  it.each([-1, 1.5, NaN])('cannot be %d in number', (workers) => {
    expect(() => createCpuEngine(shape, { workers })).toThrow(/^workers must be a whole number/);
  });
});

describe('workers that fail', () => {
  it.each([
    ['throws', 'throw new Error("no start")', 'no start'],
    ['is no program', '}{', 'Unexpected token'],
  ])('one whose script %s refuses its calls', async (_, script, why) => {
    const client = new WorkerClient(script);
    const error = await refusal(client.call('reset', undefined));
    expect(error.code).toBe('runtime');
    expect(error.message).toContain(why);
    expect((await refusal(client.call('reset', undefined))).code).toBe('runtime');
  });

  it.each([0, 1])('sums that find no room are refused as such, with %i workers', async (workers) => {
    // 3 * 10^11 bytes in one array: more than any engine gives, refused before any is taken.
    const huge = { nodes: 200_000, pairs: 2, reduction: 'l1' } as const;
    const error = await refusal(
      (async () => createCpuEngine(huge, { workers }).accumulateMagnitudes(ones(huge.nodes)))(),
    );
    expect(error.code).toBe('out-of-memory');
  });
});

/** One sample of two layer pairs. */
function ones(nodes: number): MagnitudeBatch {
  const layers = [new Float32Array(nodes).fill(1), new Float32Array(nodes).fill(1)];
  return { size: 1, x: layers, y: layers };
}

describe('layer pairs dealt to workers', () => {
  it.each([
    [
      4,
      2,
      [
        [0, 2],
        [1, 3],
      ],
    ],
    [5, 4, [[0, 3], [1, 4], [2]]],
    [1, 8, [[0]]],
    [3, 1, [[0, 1, 2]]],
  ])('%i pairs, %i threads', (pairs, threads, shares) => {
    expect(dealPairs(pairs, threads)).toEqual(shares);
  });
});
