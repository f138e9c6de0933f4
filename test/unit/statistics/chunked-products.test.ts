import { describe, expect, it } from 'vitest';
import type { BlockKernel } from '../../../src/statistics/block-kernel.ts';
import {
  CHUNK_ROWS,
  chunkedBlockKernel,
  chunkedKernelOf,
  encodeChunkedBlocks,
} from '../../../src/statistics/chunked-blocks.ts';
import { IncrementalProduct } from '../../../src/statistics/incremental-product.ts';
import { RowBuffer } from '../../../src/statistics/row-buffer.ts';
import { TiledMatmul } from '../../../src/statistics/tiled-matmul.ts';
import type { VectorBits } from '../../../src/statistics/vector-bits.ts';
import { compileWidest } from '../../../src/statistics/wasm-module.ts';
import { runToEnd } from '../../../src/statistics/yielder.ts';
import { normalNumbers } from '../../support/random-numbers.ts';
import { scalarChunkedKernel } from '../../support/scalar-chunked-blocks.ts';

/** @param fused as far as the engine can; else never */
function chunkedKernel(bits: VectorBits, fused: boolean, chunkRows = CHUNK_ROWS): BlockKernel {
  const module = compileWidest((widest) => encodeChunkedBlocks(bits, fused && widest));
  if (module === undefined) throw new Error('This test needs WebAssembly SIMD.');
  return chunkedKernelOf({ module: module.module, fused: fused && module.fused }, bits, chunkRows);
}

type Values = Float32Array | Float64Array;

/** X^T Y of row-major `[rows, nodes]`, added in parts of so many rows at a time, and brought up to date after each. */
function productOf(x: Values, y: Values, nodes: number, kernel: BlockKernel, parts: readonly number[]) {
  const zeros = new Float64Array(nodes);
  const [a, b] = [x, y].map((values) => ({ values, rows: new RowBuffer(nodes), pivot: zeros }));
  // Tiles of 256 columns.
  const growing = new IncrementalProduct(nodes, new TiledMatmul(nodes, kernel, 0), false);
  let at = 0;
  for (const rows of parts) {
    for (const side of [a!, b!])
      side.rows.append(side.values.subarray(at * nodes, (at + rows) * nodes), rows);
    runToEnd(growing.catchUp(a!, b!));
    at += rows;
  }
  expect(at * nodes).toBe(x.length);
  return growing.sums;
}

/** Columns over so many decades, about zero, and with a common part. */
function deviations(rows: number, nodes: number, seed: number, decades: number): Float64Array {
  const normal = normalNumbers(seed);
  const shared = Float64Array.from({ length: rows }, normal);
  return Float64Array.from({ length: rows * nodes }, (_, e) => {
    const scale = 10 ** (decades * (((e % nodes) % 7) / 6 - 0.5));
    return scale * (normal() + shared[Math.floor(e / nodes)]!);
  });
}

/** Largest error of sums, as a share of the bound (method.md, "Sums in float32"): of float32, and of float64 beside it. */
function shareOfBound(found: Float64Array, x: Values, y: Values, nodes: number, chunkRows: number): number {
  const rows = x.length / nodes;
  const unit = (Math.min(chunkRows, rows) + 2) * 2 ** -24;
  const bound = unit / (1 - unit) + (rows + 2) * 2 ** -53;
  let worst = 0;
  found.forEach((value, e) => {
    const [i, j] = [Math.floor(e / nodes), e % nodes];
    let [sum, size] = [0, 0];
    for (let k = 0; k < rows; k++) {
      const term = x[k * nodes + i]! * y[k * nodes + j]!;
      sum += term;
      size += Math.abs(term);
    }
    // NaN stays.
    if (size > 0 || value !== 0) worst = Math.max(worst, Math.abs(value - sum) / (bound * size));
  });
  return worst;
}

const kernels = [
  ['128 bits', chunkedKernel(128, true)],
  ['128 bits, not fused', chunkedKernel(128, false)],
  ['256 bits', chunkedKernel(256, true)],
] as const;

describe.each(kernels)('products in float32 chunks, in vectors of %s', (_, kernel) => {
  const sizes = [
    [1, 1],
    [1, 2000],
    [5, 63],
    [9, 64],
    [17, 65],
    [130, 300],
    [261, 70],
  ] as const;

  it.each(sizes)('are within the bound, whatever the scales: %i nodes, %i rows', (nodes, rows) => {
    // To 1e-140 and 1e140: products of float64 have no room for more.
    for (const decades of [0, 20, 60, 280]) {
      const [x, y] = [deviations(rows, nodes, 1, decades), deviations(rows, nodes, 2, -decades)];
      const found = productOf(x, y, nodes, kernel, [rows]);
      expect(shareOfBound(found, x, y, nodes, CHUNK_ROWS)).toBeLessThan(1);
    }
  });

  it('are within the bound where no sum is longer, and where all products have one sign', () => {
    const [nodes, rows] = [6, 4096];
    const x = deviations(rows, nodes, 3, 6).map(Math.abs);
    expect(shareOfBound(productOf(x, x, nodes, kernel, [rows]), x, x, nodes, CHUNK_ROWS)).toBeLessThan(1);
  });

  it('are the same to the bit however rows come and whenever they are formed', () => {
    const [nodes, rows] = [23, 700];
    const [x, y] = [1, 2].map((seed) => Float32Array.from(deviations(rows, nodes, seed, 3)));
    const atOnce = productOf(x!, y!, nodes, kernel, [rows]);
    for (const parts of [
      [64, 64, 64, 508],
      [1, 62, 1, 1, 255, 320, 60],
      [100, 100, 100, 100, 100, 100, 100],
      [699, 1],
      [256, 256, 188],
    ]) {
      expect(productOf(x!, y!, nodes, kernel, parts)).toEqual(atOnce);
    }
  });

  it('give equal columns sums that are equal to the bit, wherever the columns lie', () => {
    const [nodes, rows] = [279, 90];
    const [x, y] = [deviations(rows, nodes, 7, 200), deviations(rows, nodes, 8, 2)];
    // Copies in the same panel, in another panel, in another block, and in the last panel, which is not full.
    const copies = [0, 2, 41, 260, 278];
    for (const values of [x, y]) {
      for (const copy of copies) {
        for (let k = 0; k < rows; k++) values[k * nodes + copy] = values[k * nodes]!;
      }
    }
    const sums = productOf(x, y, nodes, kernel, [rows]);
    for (const copy of copies) {
      expect(sums.slice(copy * nodes, (copy + 1) * nodes)).toEqual(sums.slice(0, nodes));
      for (let i = 0; i < nodes; i++) expect(sums[i * nodes + copy]).toBe(sums[i * nodes]);
    }
  });
});

describe('the kernel of chunks', () => {
  // Sizes about the widths of panels, 4, 6, 8 and 16; 259 lie in two tiles.
  it.each([1, 2, 5, 6, 7, 15, 16, 17, 25, 259])(
    'gives the sums of its twin to the bit: %i nodes',
    (nodes) => {
      const rows = 131;
      for (const decades of [2, 240]) {
        const [x, y] = [deviations(rows, nodes, 9, decades), deviations(rows, nodes, 10, 3)];
        const single = Float32Array.from(y);
        for (const chunkRows of [16, CHUNK_ROWS]) {
          const of = (kernel: BlockKernel) => productOf(x, single, nodes, kernel, [50, rows - 50]);
          const twin = of(scalarChunkedKernel(chunkRows));
          expect(of(chunkedKernel(128, false, chunkRows))).toEqual(twin);
          expect(of(chunkedKernel(256, false, chunkRows))).toEqual(twin);
        }
      }
    },
  );

  it('gives the same sums to the bit in either shape, fused as well', () => {
    const [nodes, rows] = [45, 200];
    const [x, y] = [deviations(rows, nodes, 11, 4), deviations(rows, nodes, 12, 4)];
    const of = (bits: VectorBits) => productOf(x, y, nodes, chunkedKernel(bits, true), [rows]);
    expect(of(256)).toEqual(of(128));
  });

  it('says what it does, and comes from a module that every page may compile at once: under four kilobytes', () => {
    const { description, chunkRows } = chunkedBlockKernel()!;
    expect(description).toMatch(/^WebAssembly SIMD/);
    expect(chunkRows).toBe(64);
    for (const bits of [128, 256] as const) {
      for (const fused of [false, true]) expect(encodeChunkedBlocks(bits, fused).length).toBeLessThan(4096);
    }
  });
});
