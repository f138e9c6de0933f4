/** How far a request runs ahead of the GPU, and what an abort leaves behind. */
import { expect, vi } from 'vitest';
import {
  createWebGpuEngine,
  type Engine,
  type MagnitudeBatch,
  raggedFromLists,
} from '../../src/statistics.ts';
import type { GpuContext } from '../../src/gpu/device.ts';
import { SubmitThrottle } from '../../src/gpu/submit-throttle.ts';
import { normalNumbers } from '../support/gpu-arrays.ts';
import { test } from '../support/gpu.ts';

const nodes = 150;
const pairs = 5;
const sets = raggedFromLists(
  Array.from({ length: nodes }, (_, j) =>
    Array.from({ length: 16 }, (_, k) => (j + 1 + 7 * k) % nodes).sort((a, b) => a - b),
  ),
);
const requests = {
  corr: { score: 'corr', layerAgg: 'mean', ridge: 0, conditioningSets: sets },
  partial: { score: 'partial', layerAgg: 'mean', ridge: 1e-8, conditioningSets: sets },
} as const;

/** Matrices of this many nodes are more than a byte, so they are never held. */
const FORMED = { memoryBytes: 1 };

function makeBatch(size: number, seed = 3): MagnitudeBatch {
  const normal = normalNumbers(seed);
  const matrix = (): Float32Array => Float32Array.from({ length: size * nodes }, () => 9 + normal());
  const matrices = (): Float32Array[] => Array.from({ length: pairs }, matrix);
  return { size, x: matrices(), y: matrices() };
}

async function engineWith(
  gpu: GpuContext,
  batch: MagnitudeBatch,
  options: { memoryBytes?: number } = {},
): Promise<Engine> {
  const shape = { nodes, pairs, reduction: 'l1' as const };
  const engine = await createWebGpuEngine({ device: gpu.device, shape, ...options });
  await engine.accumulateMagnitudes(batch);
  return engine;
}

/** Calls `seen` at each runYielding submit, with its operations and those that the queue holds with it, until it is stopped. */
function watchSubmits(gpu: GpuContext, seen: (operations: number, held: number) => void): () => void {
  const { queue } = gpu.device;
  const submitted = vi.spyOn(SubmitThrottle.prototype, 'submitted');
  const workDone = queue.onSubmittedWorkDone.bind(queue);
  let held = 0;
  // What `submitted` asks for; this count hears of it first.
  queue.onSubmittedWorkDone = () => {
    const [operations] = submitted.mock.lastCall!;
    const done = workDone();
    held += operations;
    void done.then(() => (held -= operations));
    seen(operations, held);
    return done;
  };
  return () => {
    queue.onSubmittedWorkDone = workDone;
    submitted.mockRestore();
  };
}

test.for([
  ['held', {}],
  ['formed', FORMED],
] as const)(
  'matrices %s: no layer pair is submitted before the GPU has come to the one before it',
  async ([, options], { gpu }) => {
    const engine = await engineWith(gpu, makeBatch(700), options);
    let all = 0;
    let most = 0;
    const stop = watchSubmits(gpu, (operations, held) => {
      all += operations;
      most = Math.max(most, held);
    });
    try {
      for (const request of [requests.corr, requests.partial]) await engine.score(request);
    } finally {
      stop();
    }
    // Enough that a queue without a bound would hold more of it.
    expect(all).toBeGreaterThan(8 * gpu.operationsPerSubmit);
    expect(most).toBeLessThanOrEqual(2 * gpu.operationsPerSubmit);
    await engine.release();
  },
);

test.for([
  ['held', 'corr', {}],
  ['held', 'partial', {}],
  ['formed', 'corr', FORMED],
  ['formed', 'partial', FORMED],
] as const)(
  'matrices %s: %s aborted at any submit stops there, and the next has every bit',
  async ([, score, options], { gpu }) => {
    const batch = makeBatch(300);
    const untouched = await engineWith(gpu, batch, options);
    let all = 0;
    const stop = watchSubmits(gpu, () => all++);
    const expected = await untouched.score(requests[score]);
    stop();
    const engine = await engineWith(gpu, batch, options);
    const reason = new Error('enough');
    for (const last of [1, 2, Math.floor(all / 3), Math.floor(all / 2), all - 2]) {
      const controller = new AbortController();
      let submits = 0;
      const stop = watchSubmits(gpu, () => {
        if (++submits === last) controller.abort(reason);
      });
      // Without what an earlier round formed it takes as many submits again, or fewer.
      const { signal } = controller;
      const outcome = await engine.score({ ...requests[score], signal }).then(
        ({ aggregated }) => aggregated,
        (error: unknown) => error,
      );
      stop();
      if (submits < last) expect(outcome).toEqual(expected.aggregated);
      else expect(outcome).toBe(reason);
      expect(submits).toBeLessThanOrEqual(last);
    }
    expect(await engine.score(requests[score])).toEqual(expected);
    expect(await engine.statistics()).toEqual(await untouched.statistics());
    await engine.release();
    await untouched.release();
  },
);

test('samples that come after an abort find what it put off done first, and that can be aborted as well', async ({
  gpu,
}) => {
  const batches = [makeBatch(1100, 4), makeBatch(200, 5)];
  const untouched = await engineWith(gpu, batches[0]!);
  await untouched.score(requests.partial);
  await untouched.accumulateMagnitudes(batches[1]!);
  const expected = await untouched.score(requests.partial);
  const engine = await engineWith(gpu, batches[0]!);
  const reason = new Error('enough');
  const abortAt = async (last: number): Promise<void> => {
    const controller = new AbortController();
    let submits = 0;
    const stop = watchSubmits(gpu, () => {
      if (++submits === last) controller.abort(reason);
    });
    const { signal } = controller;
    await expect(engine.score({ ...requests.partial, signal })).rejects.toBe(reason);
    stop();
    expect(submits).toBe(last);
  };
  await abortAt(3);
  await engine.accumulateMagnitudes(batches[1]!);
  for (const last of [1, 2]) await abortAt(last);
  expect(await engine.score(requests.partial)).toEqual(expected);
  expect(await engine.statistics()).toEqual(await untouched.statistics());
  await engine.release();
  await untouched.release();
});

test('sums that a failure of the GPU left incomplete give no scores, until a reset', async ({ gpu }) => {
  const batch = makeBatch(300);
  const engine = await engineWith(gpu, batch);
  const bind = vi.spyOn(gpu.device, 'createBindGroup');
  let submits = 0;
  const stop = watchSubmits(gpu, () => {
    if (++submits !== 2) return;
    bind.mockImplementationOnce(() => {
      throw new Error('no bind group today');
    });
  });
  try {
    for (let times = 0; times < 2; times++) {
      await expect(engine.score(requests.corr)).rejects.toThrow('no bind group today');
    }
  } finally {
    stop();
    bind.mockRestore();
  }
  await expect(engine.statistics()).rejects.toThrow('no bind group today');
  engine.reset();
  await engine.accumulateMagnitudes(batch);
  const untouched = await engineWith(gpu, batch);
  expect(await engine.score(requests.corr)).toEqual(await untouched.score(requests.corr));
  await engine.release();
  await untouched.release();
});
