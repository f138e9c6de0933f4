import { expect } from 'vitest';
import type { GpuContext } from '../../src/gpu/device.ts';
import type { Reduction } from '../../src/index.ts';
import { raggedFromLists, type RaggedIndices } from '../../src/statistics.ts';
import { channelNorms } from '../../src/statistics/channel-norms.ts';
import { BatchUploader } from '../../src/engine/webgpu/statistics/batch-uploader.ts';
import { layoutOf } from '../../src/engine/webgpu/statistics/layout.ts';
import { NonFiniteFlag } from '../../src/engine/webgpu/statistics/non-finite-flag.ts';
import { GpuRowStore } from '../../src/engine/webgpu/statistics/gpu-row-store.ts';
import { floats, normalNumbers, readFloats } from '../support/gpu-arrays.ts';
import { test } from '../support/gpu.ts';

/** Thirteen nodes of 1 to 5 channels, one of 700, one of none; channels dealt out of order. */
function raggedGroups(): { groups: RaggedIndices; channels: number } {
  const sizes = [1, 2, 3, 4, 5, 700, 0, 1, 2, 3, 4, 5, 2];
  const channels = sizes.reduce((sum, size) => sum + size, 0);
  // 7 and the number of channels have no common divisor, so this visits each channel once.
  let next = 0;
  const lists = sizes.map((size) => Array.from({ length: size }, () => (next = (next + 7) % channels)));
  return { groups: raggedFromLists(lists), channels };
}

async function gpuNorms(
  gpu: GpuContext,
  values: Float32Array,
  rows: number,
  shape: { groups: RaggedIndices; channels: number; reduction: Reduction },
): Promise<{ norms: Float32Array; refused: NonFiniteFlag; nodes: number }> {
  const nodes = shape.groups.offsets.length - 1;
  const layout = layoutOf(gpu, nodes, 1);
  const refused = await NonFiniteFlag.create(gpu);
  const kept = new GpuRowStore(gpu, layout);
  const { chunk } = kept.place(3 + rows, 4);
  const uploader = await BatchUploader.create(gpu, layout, refused, {
    count: shape.channels,
    groups: shape.groups,
    reduction: shape.reduction,
  });
  const buffer = floats(gpu, values).buffer;
  const batch = { batch: 4, from: 0, rows, chunk, to: 3, batchRow: 3 };
  await uploader.write({ values: [new Float32Array(values.length), buffer], ...batch }, false);
  const all = await readFloats(gpu, chunk[0]!);
  const first = (layout.chunkRows + 3) * layout.stride;
  const norms = Float32Array.from({ length: rows * nodes }, (_, e) => {
    const row = Math.floor(e / nodes);
    return all[first + row * layout.stride + (e % nodes)]!;
  });
  return { norms, refused, nodes };
}

test.for([
  ['l1', 1],
  ['l2', 1],
  ['l2', 1e30],
  ['l2', 1e-30],
  ['l1', 1e30],
] as const)('%s norms of values about %d are those of float64', async ([reduction, size], { gpu }) => {
  const { groups, channels } = raggedGroups();
  const rows = 37;
  const normal = normalNumbers(11);
  const values = Float32Array.from({ length: rows * channels }, () => normal() * size);
  const { norms, refused, nodes } = await gpuNorms(gpu, values, rows, { groups, channels, reduction });
  const expected = new Float64Array(rows * nodes);
  channelNorms(values, rows, { channels, groups, reduction }, expected);
  expect(await refused.read(nodes)).toBeUndefined();
  expected.forEach((norm, e) => {
    // Positive terms summed in float32: a relative error of at most (terms - 1) / 2^24, and in practice its root.
    const terms = groups.offsets[(e % nodes) + 1]! - groups.offsets[e % nodes]!;
    expect(Math.abs(norms[e]! - norm)).toBeLessThanOrEqual(norm * 2 ** -24 * (2 + terms / 8));
  });
});

test.for([NaN, Infinity, -Infinity])(
  '%d in a channel refuses the batch and names the node',
  async (bad, { gpu }) => {
    const { groups, channels } = raggedGroups();
    const rows = 5;
    const values = new Float32Array(rows * channels).fill(1);
    values[3 * channels + groups.indices[groups.offsets[5]! + 600]!] = bad;
    const { refused, nodes } = await gpuNorms(gpu, values, rows, { groups, channels, reduction: 'l2' });
    const refusal = await refused.read(nodes);
    expect(refusal?.batch).toBe(4);
    expect(refusal?.error.details).toEqual({ batch: 4, quantity: 'gradient', layer: 1, node: 5 });
  },
);

test('a norm beyond float32 is refused, not counted as an infinity', async ({ gpu }) => {
  const groups = raggedFromLists([[0, 1]]);
  const values = Float32Array.of(3e38, 3e38);
  const { refused } = await gpuNorms(gpu, values, 1, { groups, channels: 2, reduction: 'l1' });
  expect((await refused.read(1))?.error.code).toBe('non-finite');
});
