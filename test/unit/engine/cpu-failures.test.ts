import workerThreads, { type Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createCpuEngine, type Engine } from '../../../src/statistics.ts';
import * as small from '../../support/cpu-workers-case.ts';
import { largeBatch, largeRequest, memory, shape } from '../../support/large-case.ts';
import { refusal } from '../../support/refusal.ts';

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  vi.unstubAllGlobals();
  for (const step of cleanUp.splice(0).reverse()) await step();
});

function engineWith(workers: number): Engine {
  const engine = createCpuEngine(shape, { workers, memory });
  cleanUp.push(() => engine.release());
  return engine;
}

/** Shows every worker that is started from now on, as it is, to somebody who may end it. */
function watchWorkers(started: (worker: Worker) => void): void {
  const original = workerThreads.Worker;
  workerThreads.Worker = class extends original {
    constructor(...settings: ConstructorParameters<typeof original>) {
      super(...settings);
      started(this);
    }
  };
  cleanUp.push(() => (workerThreads.Worker = original));
}

/** Answers that hold numbers: panels of scores, or scores of some pairs. */
function holdsNumbers(message: unknown): boolean {
  const { result } = message as { result?: unknown };
  return result instanceof Float64Array || (Array.isArray(result) && result[0] instanceof Float64Array);
}

describe('a worker that dies', () => {
  it.each([1, 3])(
    'while scores are formed, after %i panels: one error, and a reset begins anew',
    async (panels) => {
      let [started, answers] = [0, 0];
      // The first one keeps two of the layer pairs, three panels each.
      watchWorkers((worker) => {
        if (++started > 1) return;
        worker.on('message', (message) => {
          if (holdsNumbers(message) && ++answers === panels) void worker.terminate();
        });
      });
      const engine = engineWith(2);
      await engine.accumulateMagnitudes(largeBatch(1));
      const error = await refusal(engine.scores(largeRequest));
      expect(error).toMatchObject({ code: 'runtime' });
      expect(error.message).toBe('A worker of the CPU backend died: it ended with exit code 1.');
      // Nothing answers as if all samples were there.
      for (const call of [
        () => engine.scores(largeRequest),
        () => engine.score(largeRequest),
        () => engine.statistics(),
        () => engine.accumulateMagnitudes(largeBatch(2)),
        () => engine.flush(),
      ]) {
        const later = await refusal(call());
        expect(later.message).toMatch(
          /^The samples are lost; after a reset, new samples can be added\. .* exit code 1\.$/,
        );
        expect(later.code).toBe('runtime');
      }
      engine.reset();
      await engine.accumulateMagnitudes(largeBatch(1));
      expect(await engine.flush()).toBe(300);
      expect((await engine.scores(largeRequest)).scoredTargets).toBe(shape.nodes);
    },
  );

  it('while nothing is asked of it, is told by the next call', async () => {
    const workers: Worker[] = [];
    watchWorkers((worker) => workers.push(worker));
    const engine = engineWith(2);
    await engine.accumulateMagnitudes(largeBatch(1));
    const scores = await engine.scores(largeRequest);
    await workers[1]!.terminate();
    expect((await refusal(engine.flush())).message).toContain('The samples are lost');
    // What was there is there still; what must be formed again cannot be.
    expect((await refusal(scores.matrices())).message).toContain('A worker of the CPU backend died');
  });
});

/** Refuses arrays (or buffers) of one length but for the first few, as engines do that have no room for them. */
function refuse(
  length: number,
  name: 'Float64Array' | 'Float32Array' | 'ArrayBuffer' | 'SharedArrayBuffer' = 'Float64Array',
  given = 0,
): void {
  vi.stubGlobal(
    name,
    new Proxy(globalThis[name], {
      construct(target, settings: unknown[], newTarget) {
        if (settings[0] === length && given-- <= 0) throw new RangeError('Array buffer allocation failed');
        return Reflect.construct(target, settings, newTarget) as object;
      },
    }),
  );
}

describe('scores from before a worker died', () => {
  it.each([0, 1])('tell of it once there are others, whichever it was: worker %i', async (dying) => {
    const workers: Worker[] = [];
    watchWorkers((worker) => workers.push(worker));
    const engine = engineWith(2);
    await engine.accumulateMagnitudes(largeBatch(1));
    const scores = await engine.scores(largeRequest);
    await workers[dying]!.terminate();
    engine.reset();
    await engine.accumulateMagnitudes(largeBatch(2));
    const error = await refusal(scores.matrices());
    expect(error.code).toBe('runtime');
    const died = 'A worker of the CPU backend died: it ended with exit code 1.';
    // The dead worker is asked in vain, or the one that lived until the reset.
    expect([
      died,
      `These scores cannot be computed again: their samples are lost. The reason: ${died}`,
    ]).toContain(error.message);
    // What it held itself it holds still.
    expect(await scores.aggregate()).toHaveLength(shape.nodes ** 2);
    scores.release();
    expect((await refusal(scores.matrices())).code).toBe('released');
  });
});

describe('workers that cannot be had', () => {
  it('are told of once, for as long as it is so', async () => {
    const original = workerThreads.Worker;
    cleanUp.push(() => (workerThreads.Worker = original));
    let had = false;
    workerThreads.Worker = class extends original {
      constructor(...settings: ConstructorParameters<typeof original>) {
        if (!had) throw new Error('none today');
        super(...settings);
      }
    };
    const engine = engineWith(2);
    const told = (): readonly string[] => engine.diagnostics.warnings;
    const loseSamples = async (): Promise<void> => {
      await engine.accumulateMagnitudes(largeBatch(1));
      refuse(256 * shape.nodes, 'Float32Array', 2);
      expect((await refusal(engine.accumulateMagnitudes(largeBatch(2)))).code).toBe('out-of-memory');
      vi.unstubAllGlobals();
    };
    await loseSamples();
    engine.reset();
    // Asked for again, in vain.
    await engine.accumulateMagnitudes(largeBatch(1));
    expect(told()).toEqual(['Workers cannot be used here, so one thread does the work of 2: none today']);
    await loseSamples();
    engine.reset();
    had = true;
    await engine.accumulateMagnitudes(largeBatch(1));
    expect(told()).toEqual([]);
    expect(await engine.flush()).toBe(300);
  });
});

describe('an array that is refused', () => {
  it.each(['scores', 'score'] as const)('%s say so, and work again when there is room', async (call) => {
    const engine = engineWith(2);
    await engine.accumulateMagnitudes(largeBatch(1));
    await engine.flush();
    refuse(8 * shape.nodes ** 2, 'ArrayBuffer');
    const error = await refusal(engine[call](largeRequest));
    expect(error).toMatchObject({
      code: 'out-of-memory',
      details: { nodes: 600, pairs: 3, scores: 8 * 600 ** 2 },
    });
    vi.unstubAllGlobals();
    expect((await engine.scores(largeRequest)).nodes).toBe(shape.nodes);
  });

  it('with sums, too', async () => {
    const engine = createCpuEngine(shape, { workers: 2 });
    cleanUp.push(() => engine.release());
    await engine.accumulateMagnitudes(largeBatch(1));
    await engine.flush();
    refuse(8 * shape.nodes ** 2, 'SharedArrayBuffer');
    expect((await refusal(engine.scores(largeRequest))).code).toBe('out-of-memory');
    refuse(8 * shape.nodes ** 2, 'ArrayBuffer');
    expect((await refusal(engine.score(largeRequest))).code).toBe('out-of-memory');
    vi.unstubAllGlobals();
    expect((await engine.scores(largeRequest)).nodes).toBe(shape.nodes);
  });

  it('in the middle of the scores, on the calling thread', async () => {
    const engine = engineWith(0);
    await engine.accumulateMagnitudes(largeBatch(1));
    // What panels are formed in comes after the aggregate has found its room.
    refuse(shape.nodes * 256);
    expect((await refusal(engine.scores(largeRequest))).code).toBe('out-of-memory');
    vi.unstubAllGlobals();
    expect((await engine.scores(largeRequest)).nodes).toBe(shape.nodes);
  });
});

describe('a batch that finds no room', () => {
  it.each([Infinity, memory])(
    'in some layer pairs alone loses the samples, and says so: room %d',
    async (bytes) => {
      const engine = createCpuEngine(shape, { workers: 0, memory: bytes });
      cleanUp.push(() => engine.release());
      await engine.accumulateMagnitudes(largeBatch(1));
      // The third block of rows that is begun is of the second layer pair.
      refuse(256 * shape.nodes, 'Float32Array', 2);
      expect((await refusal(engine.accumulateMagnitudes(largeBatch(2)))).code).toBe('out-of-memory');
      vi.unstubAllGlobals();
      const later = await refusal(engine.scores(largeRequest));
      expect(later.code).toBe('out-of-memory');
      expect(later.message).toContain('The samples are lost');
      engine.reset();
      await engine.accumulateMagnitudes(largeBatch(2));
      expect(await engine.flush()).toBe(300);
    },
  );

  it('for its magnitudes is not counted, and leaves the next one room', async () => {
    const engine = createCpuEngine(small.shape, { workers: 0 });
    const twin = createCpuEngine(small.shape, { workers: 0 });
    cleanUp.push(
      () => engine.release(),
      () => twin.release(),
    );
    for (const each of [engine, twin]) await each.accumulate(small.channelBatch(20, 1));
    const { nodes, pairs } = small.shape;
    // Those of the gradients, once there was room for the activations.
    refuse(50 * nodes, 'Float64Array', pairs);
    const error = await refusal(engine.accumulate(small.channelBatch(50, 2)));
    expect(error).toMatchObject({ code: 'out-of-memory', details: { nodes, pairs } });
    vi.unstubAllGlobals();
    for (const each of [engine, twin]) await each.accumulate(small.channelBatch(50, 3));
    expect(await engine.flush()).toBe(70);
    expect(await engine.statistics()).toEqual(await twin.statistics());
  });

  it('in what is sent to some workers alone does, too', async () => {
    const engine = engineWith(2);
    await engine.accumulateMagnitudes(largeBatch(1));
    const { x, ...others } = largeBatch(2);
    const refused = {
      slice: () => {
        throw new RangeError('Array buffer allocation failed');
      },
    };
    // What the second worker would be sent, once the first one has its own.
    const batch = {
      ...others,
      x: x.map((own, p) => (p === 1 ? Object.assign(own.subarray(), refused) : own)),
    };
    await engine.accumulateMagnitudes(batch).catch(() => undefined);
    const later = await refusal(engine.scores(largeRequest));
    expect(later.code).toBe('out-of-memory');
    expect(later.message).toContain('The samples are lost');
    engine.reset();
    await engine.accumulateMagnitudes(largeBatch(1));
    expect(await engine.flush()).toBe(300);
  });
});

describe('a signal', () => {
  it.each([
    [0, [0, 1, 2]],
    [2, [0, 2, 20]],
  ])('ends scores at once, wherever they are, with %i workers', async (workers, wait) => {
    const engine = engineWith(workers);
    await engine.accumulateMagnitudes(largeBatch(1));
    for (const turns of wait) {
      const controller = new AbortController();
      const scored = engine.scores({ ...largeRequest, signal: controller.signal });
      for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setTimeout(resolve));
      const reason = new Error(`enough after ${turns} turns`);
      controller.abort(reason);
      await expect(scored).rejects.toBe(reason);
    }
    const scores = await engine.scores(largeRequest);
    expect(scores.scoredTargets).toBe(shape.nodes);
  });
});
