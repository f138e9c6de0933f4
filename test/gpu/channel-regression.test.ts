import { expect } from 'vitest';
import { channelSystem, type ChannelSystem } from '../../src/scoring/channel/system.ts';
import { regress } from '../../src/scoring/channel/regression.ts';
import { dualOnGpu } from '../../src/engine/webgpu/scoring/channel-dual.ts';
import { mixedBlocks } from '../../src/statistics/mixed-blocks.ts';
import { runToEnd } from '../../src/statistics/yielder.ts';
import { channelCase, channelCases } from '../support/channel-case.ts';
import { test } from '../support/gpu.ts';

const yielder = (): undefined => undefined;

async function fixture(name: string) {
  const response = await fetch(`/test/fixtures/channels/${name}.npz`);
  return channelCase(new Uint8Array(await response.arrayBuffer()));
}

function expectWithin(found: ArrayLike<number>, right: Float64Array, tolerance: number): void {
  const largest = right.reduce((most, value) => (value > most ? value : most), 0);
  right.forEach((value, at) => {
    if (Number.isNaN(value)) expect(found[at]).toBeNaN();
    else expect(Math.abs(Math.sqrt(found[at]!) - value) / largest).toBeLessThan(tolerance);
  });
}

// Standardised values and products in float32, sums of the system extended, its inverse float64: as on the CPU, 1e-6 of the
// largest score is what rounding leaves.
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
  for (const [system, right] of systems) {
    const [norms] = await dualOnGpu(gpu, mixedBlocks(), system, [undefined], yielder);
    expectWithin(norms!, right, 1e-6);
  }
});

test('WebGPU: rows of U in other orders are those of the CPU', async ({ gpu }) => {
  const { pairs, groups, channels, lambda, samples, nodes } = await fixture('fewer-samples');
  const system = channelSystem([pairs[0]!], groups, channels, lambda);
  const order = [Uint32Array.from({ length: samples }, (_, row) => (row * 7 + 3) % samples)];
  const orders = [order, undefined];
  const found = await dualOnGpu(gpu, mixedBlocks(), system, orders, yielder);
  const right = runToEnd(regress(mixedBlocks(), system, { way: 'dual', first: 0, end: nodes }, orders));
  found.forEach((norms, k) => {
    expectWithin(norms, Float64Array.from(right[k]!, Math.sqrt), 1e-6);
  });
  expect(found[0]).not.toEqual(found[1]);
});
