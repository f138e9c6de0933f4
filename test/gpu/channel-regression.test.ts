import { expect } from 'vitest';
import { ChannelThreads } from '../../src/engine/channels/channel-threads.ts';
import { ChannelDevice } from '../../src/engine/webgpu/scoring/channel-device.ts';
import { invertOnDevice } from '../../src/engine/webgpu/scoring/channel-inverse.ts';
import { regressOnDevice, whyUnsuitable } from '../../src/engine/webgpu/scoring/channel-regression.ts';
import { acquireDevice, releaseDevice, type GpuContext } from '../../src/gpu/device.ts';
import { readBack } from '../../src/gpu/readback.ts';
import { SubmitThrottle } from '../../src/gpu/submit-throttle.ts';
import { absorbRows } from '../../src/scoring/channel/absorb.ts';
import { regress } from '../../src/scoring/channel/regression.ts';
import { pairsOfSums } from '../../src/scoring/channel/sums.ts';
import { channelSystem, type ChannelSystem } from '../../src/scoring/channel/system.ts';
import type { RidgeForm } from '../../src/scoring/channel/ridge-form.ts';
import { emptyChannelSums } from '../../src/statistics/channel-sums.ts';
import { mixedBlocks } from '../../src/statistics/mixed-blocks.ts';
import { raggedFromLists } from '../../src/statistics.ts';
import { runToEnd } from '../../src/statistics/yielder.ts';
import { channelCase, channelCases } from '../support/channel-case.ts';
import { normalNumbers } from '../support/gpu-arrays.ts';
import { test } from '../support/gpu.ts';
import { loseAfter } from '../support/losing-device.ts';
import {
  ridgeOracle,
  ridgeProblem,
  ridgeSystem,
  solveDense,
  type RidgeProblem,
} from '../support/ridge-oracle.ts';

const forms = ['dual', 'primal'] as const;
const natural = [undefined];

async function fixture(name: string) {
  const response = await fetch(`/test/fixtures/channels/${name}.npz`);
  return channelCase(new Uint8Array(await response.arrayBuffer()));
}

/** @param found squares of scores @param tolerance share of the largest score */
function expectWithin(found: ArrayLike<number>, right: Float64Array, tolerance: number): void {
  const largest = right.reduce((most, value) => (value > most ? value : most), 0);
  right.forEach((value, at) => {
    if (Number.isNaN(value)) expect(found[at]).toBeNaN();
    else expect(Math.abs(Math.sqrt(found[at]!) - value) / largest).toBeLessThan(tolerance);
  });
}

// Standardised values and products in float32, extended over 32 rows, an inverse that is right but for its own rounding: 1e-6 of
// the largest score is what that leaves. 'fast' adds the rounding of a factor, times a condition that is below a hundred here.
test.for(channelCases)('WebGPU: regressions of %s are what numpy finds', async (name, { gpu }) => {
  const given = await fixture(name);
  const { pairs, groups, channels, lambda, nodes } = given;
  const systems: [ChannelSystem, Float64Array][] = [
    ...pairs.map((pair, p): [ChannelSystem, Float64Array] => [
      channelSystem([pair], groups, channels, lambda),
      given.oracle('pairs').subarray(p * nodes ** 2, (p + 1) * nodes ** 2),
    ]),
    [channelSystem(pairs, groups, channels, lambda), given.oracle('pooled')],
  ];
  for (const [k, [system, right]] of systems.entries()) {
    const [exact] = await regressOnDevice(gpu, system, natural, { form: forms[k % 2]!, precision: 'exact' });
    expectWithin(exact!, right, 1e-6);
  }
  const [pooled, right] = systems.at(-1)!;
  for (const form of forms) {
    const [fast] = await regressOnDevice(gpu, pooled, natural, { form, precision: 'fast' });
    expectWithin(fast!, right, 1e-5);
  }
});

/** Checks both precisions against the formula in float64. @param tolerance of 'exact' and of 'fast' */
async function check(
  gpu: GpuContext,
  given: RidgeProblem,
  form: RidgeForm,
  tolerances: readonly [number, number],
) {
  const [system, right] = [ridgeSystem(given), ridgeOracle(given)];
  const [exact] = await regressOnDevice(gpu, system, natural, { form, precision: 'exact' });
  expectWithin(exact!, right, tolerances[0]);
  const [fast] = await regressOnDevice(gpu, system, natural, { form, precision: 'fast' });
  expectWithin(fast!, right, tolerances[1]);
  const whole = { form, first: 0, end: system.nodes };
  const [onCpu] = runToEnd(regress(mixedBlocks(), system, whole, natural));
  // Both are off, each by its tolerance at most.
  expectWithin(exact!, Float64Array.from(onCpu!, Math.sqrt), 2 * tolerances[0]);
}

// 119 channels, 116 of which vary: two blocks of which the second is not full.
test.for([
  ['dual', 70, 0.1],
  ['dual', 100, 100],
  ['dual', 129, 3],
  ['primal', 200, 3],
  ['primal', 130, 100],
] as const)(
  'WebGPU: %s, %s samples, lambda %s: the scores of the formula',
  async ([form, samples, lambda], { gpu }) => {
    await check(gpu, ridgeProblem(samples, lambda), form, [1e-6, 1e-5]);
  },
);

// Six factors explain all but a percent of each channel, so that F'U is a hundred times what is left of it in B, and lambda is
// small: what float32 rounds, 2^-24, counts with the condition, which (K + lambda) / lambda bounds.
test.for(['dual', 'primal'] as const)(
  'WebGPU: an ill-conditioned %s system keeps to its bound',
  async (form, { gpu }) => {
    const bound = 2 ** -24 * ((116 + 0.1) / 0.1);
    await check(gpu, ridgeProblem(300, 0.1, 0.1), form, [bound, 2 * bound]);
  },
);

test.for(forms)('WebGPU: rows of U in other orders are those of the CPU, %s', async (form, { gpu }) => {
  const { pairs, groups, channels, lambda, samples, nodes } = await fixture('fewer-samples');
  const system = channelSystem([pairs[0]!, pairs[1]!], groups, channels, lambda);
  const order = [7, 11].map((step) =>
    Uint32Array.from({ length: samples }, (_, row) => (row * step + 3) % samples),
  );
  const orders = [order, undefined];
  const found = await regressOnDevice(gpu, system, orders, { form, precision: 'exact' });
  const right = runToEnd(regress(mixedBlocks(), system, { form, first: 0, end: nodes }, orders));
  found.forEach((norms, k) => {
    expectWithin(norms, Float64Array.from(right[k]!, Math.sqrt), 1e-6);
  });
  expect(found[0]).not.toEqual(found[1]);
});

test('WebGPU: sums of samples give the scores that they give on the CPU', async ({ gpu }) => {
  const given = ridgeProblem(300, 3);
  const { groups, channels, samples, x, u, lambda } = given;
  const sums = emptyChannelSums([Float64Array.from(x.subarray(0, channels))]);
  runToEnd(absorbRows(mixedBlocks(), sums.pairs[0]!, { x: [x], u: [u] }, groups.indices, channels));
  const system = channelSystem(pairsOfSums({ ...sums, samples }), groups, channels, lambda);
  const [found] = await regressOnDevice(gpu, system, natural, { form: 'primal', precision: 'exact' });
  // The sums have roundings of their own, the same for both.
  const [right] = runToEnd(regress(mixedBlocks(), system, { form: 'primal', first: 0, end: 41 }, natural));
  expectWithin(found!, Float64Array.from(right!, Math.sqrt), 1e-6);
  expectWithin(found!, ridgeOracle(given), 1e-5);
});

test('WebGPU: an abort ends a regression with its reason', async ({ gpu }) => {
  const system = ridgeSystem(ridgeProblem(300, 3));
  const abort = new AbortController();
  const run = regressOnDevice(gpu, system, natural, {
    form: 'primal',
    precision: 'exact',
    signal: abort.signal,
  });
  abort.abort(new Error('enough'));
  await expect(run).rejects.toThrow('enough');
});

test('WebGPU: a regression is told that its device is lost', async () => {
  const context = await acquireDevice();
  try {
    loseAfter(context.device, 12);
    const run = regressOnDevice(context, ridgeSystem(ridgeProblem(70, 3)), natural, {
      form: 'dual',
      precision: 'exact',
    });
    await expect(run).rejects.toMatchObject({ code: 'device-lost' });
  } finally {
    releaseDevice(context);
  }
});

test('what a device cannot do is done on the CPU, and diagnostics say why', async ({ gpu }) => {
  const given = ridgeProblem(70, 3);
  const threads = new ChannelThreads(0, () => gpu);
  const run = async (lambda: number): Promise<Float32Array> => {
    let scores = new Float32Array();
    await threads.run([ridgeSystem({ ...given, lambda })], natural, (_, __, [norms]) => {
      scores = Float32Array.from(norms!);
    });
    return scores;
  };
  expectWithin(await run(3), ridgeOracle(given), 1e-6);
  expect(threads.backend).toBe('webgpu');
  expect(threads.note).toBe("channel regressions: WebGPU, precision 'exact'");
  expect((await run(1e-3)).length).toBe(41 ** 2);
  expect(threads.backend).toBe('cpu');
  expect(threads.note).toContain(
    'with lambda 0.001, systems of 116 channels have a condition number of up to 1.2e+5',
  );
  // A matrix of scores alone takes 6.4 GB.
  const nodes = 40_000;
  const x = Float32Array.from({ length: 2 * nodes }, (_, at) => at % 3);
  const groups = raggedFromLists(Array.from({ length: nodes }, (_, node) => [node]));
  const large = ridgeSystem({ groups, channels: nodes, samples: 2, x, u: x, lambda: 3 });
  expect(whyUnsuitable(gpu, large, 'dual')).toContain('they need a GPU buffer of 6400000000 bytes');
});

/** Sums F'F of rows that share a factor, `[size, size]`: every variance is about one. */
function sumsOf(rows: number, size: number, strength: number): Float64Array {
  const random = normalNumbers(3);
  const sums = new Float64Array(size ** 2);
  for (let row = 0; row < rows; row++) {
    const common = strength * random();
    const values = Float64Array.from({ length: size }, () => (common + random()) / Math.hypot(1, strength));
    for (let at = 0; at < sums.length; at++) {
      sums[at]! += values[Math.floor(at / size)]! * values[at % size]!;
    }
  }
  return sums;
}

// 'exact' is right but for the rounding of what it leaves: half a unit in the last place of the largest element is 2^-24 of it, and
// as much again is allowed for the last product. 'fast' rounds at each step, times the condition.
test.for([
  { size: 1, rows: 2, strength: 0, lambda: 3 },
  { size: 64, rows: 128, strength: 1, lambda: 3 },
  { size: 65, rows: 130, strength: 1, lambda: 0.1 },
  { size: 200, rows: 400, strength: 30, lambda: 0.3 },
  { size: 130, rows: 260, strength: 3, lambda: 100 },
  // Fewer rows than columns: the ridge is the smallest eigenvalue, and the condition all that is let near a device.
  { size: 130, rows: 60, strength: 10, lambda: 0.008 },
])('the inverse of $size rows, ridge $lambda', async ({ size, rows, strength, lambda }, { gpu }) => {
  const sums = sumsOf(rows, size, strength);
  const words = new Float32Array(2 * size ** 2);
  sums.forEach((sum, at) => {
    words.set([sum, sum - Math.fround(sum)], 2 * at);
  });
  const diagonal = (at: number): boolean => at % (size + 1) === 0;
  const right = solveDense(
    sums.map((sum, at) => sum / rows + (diagonal(at) ? lambda : 0)),
    sums.map((_, at) => (diagonal(at) ? 1 : 0)),
    size,
  );
  const largest = right.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const device = await ChannelDevice.create(gpu, new SubmitThrottle(gpu));
  const errorOf = (precision: 'exact' | 'fast'): Promise<number> =>
    device.withBuffers(async (pool) => {
      const given = device.copy(pool, 'sums', words);
      const ridge = { size, observations: rows, lambda };
      const inverse = await invertOnDevice(device, pool, given, ridge, precision);
      const [bytes] = await readBack(gpu, [inverse]);
      const found = new Float32Array(bytes!);
      return right.reduce((most, value, at) => Math.max(most, Math.abs(value - found[at]!)), 0) / largest;
    });
  expect(await errorOf('exact')).toBeLessThan(2 ** -23);
  expect(await errorOf('fast')).toBeLessThan((2 ** -21 * (size + lambda)) / lambda);
});
