import { describe, expect, it } from 'vitest';
import type { BlockKernel } from '../../../src/statistics/block-kernel.ts';
import { RowBuffer } from '../../../src/statistics/row-buffer.ts';
import { IncrementalProduct } from '../../../src/statistics/incremental-product.ts';
import { runToEnd } from '../../../src/statistics/yielder.ts';
import { TiledMatmul, type Deviations } from '../../../src/statistics/tiled-matmul.ts';
import { scalarBlockKernel } from '../../../src/statistics/scalar-blocks.ts';
import { vectorBits, type VectorBits } from '../../../src/statistics/vector-bits.ts';
import { blockKernelOf, encodeBlocks, wasmBlockKernel } from '../../../src/statistics/wasm-blocks.ts';
import { compileWidest } from '../../../src/statistics/wasm-module.ts';

/** @param fused as far as the engine can; else never */
function wasmKernel(bits: VectorBits, fused: boolean): BlockKernel {
  const module = compileWidest((widest) => encodeBlocks(bits, fused && widest));
  if (module === undefined) throw new Error('This test needs WebAssembly SIMD.');
  return blockKernelOf({ module: module.module, fused: fused && module.fused }, bits);
}

/** Rows that are deviations as they are. */
function side(values: Float64Array, rows: number, nodes: number): Deviations & { rows: RowBuffer } {
  const kept = new RowBuffer(nodes);
  kept.append(values, rows);
  return { rows: kept, pivot: new Float64Array(nodes) };
}

/** X^T Y and X^T X, whole. */
function productsOf(
  x: Float64Array,
  y: Float64Array,
  rows: number,
  nodes: number,
  kernel: BlockKernel,
  tileLength?: number,
) {
  const products = new TiledMatmul(nodes, kernel, tileLength);
  const [a, b] = [side(x, rows, nodes), side(y, rows, nodes)];
  const [xy, xx] = [
    new IncrementalProduct(nodes, products, false),
    new IncrementalProduct(nodes, products, true),
  ];
  runToEnd(xy.catchUp(a, b));
  runToEnd(xx.catchUp(a, a));
  return { xy: xy.sums, xx: xx.sums };
}

/** Deviations as the accumulator makes them: about zero, over six decades, the same for the same arguments. */
function deviations(rows: number, nodes: number, seed: number): Float64Array {
  return Float64Array.from({ length: rows * nodes }, (_, e) => {
    const scale = 10 ** ((e % nodes) % 7) / 1000;
    return scale * Math.sin(12.9898 * (e + 1) + 78.233 * seed);
  });
}

/** x^T y in float64, and the sums of |x y| that bound its rounding. */
function product(x: Float64Array, y: Float64Array, rows: number, nodes: number) {
  const sums = new Float64Array(nodes * nodes);
  const magnitudes = new Float64Array(nodes * nodes);
  for (let k = 0; k < rows; k++) {
    for (let i = 0; i < nodes; i++) {
      for (let j = 0; j < nodes; j++) {
        const term = x[k * nodes + i]! * y[k * nodes + j]!;
        sums[i * nodes + j]! += term;
        magnitudes[i * nodes + j]! += Math.abs(term);
      }
    }
  }
  return { sums, magnitudes };
}

/** Largest error in units of `rows * 2^-52 * sum |x y|`, the classic bound of a dot product (both sides round). */
function worstError(found: Float64Array, oracle: ReturnType<typeof product>, rows: number): number {
  let worst = 0;
  found.forEach((value, e) => {
    const error = Math.abs(value - oracle.sums[e]!);
    if (error > 0) worst = Math.max(worst, error / (rows * Number.EPSILON * oracle.magnitudes[e]!));
  });
  return worst;
}

describe.each([
  ['WebAssembly', wasmKernel(128, true)],
  ['WebAssembly shaped for 256 bits', wasmKernel(256, true)],
  ['plain JavaScript', scalarBlockKernel],
])('products in %s', (_, kernel) => {
  const sizes = [1, 3, 5, 33, 130, 261].flatMap((nodes) =>
    [1, 7, 256, 300].map((rows) => [nodes, rows] as const),
  );

  it.each(sizes)('agree with float64 dot products: %i nodes, %i rows', (nodes, rows) => {
    const x = deviations(rows, nodes, 1);
    const y = deviations(rows, nodes, 2);
    const { xy, xx } = productsOf(x, y, rows, nodes, kernel);
    expect(worstError(xy, product(x, y, rows, nodes), rows)).toBeLessThanOrEqual(1);
    expect(worstError(xx, product(x, x, rows, nodes), rows)).toBeLessThanOrEqual(1);
  });

  it('are deviations from the pivots, whatever precision the rows have and however they come', () => {
    const [nodes, rows] = [7, 600];
    const pivot = Float64Array.from({ length: nodes }, (_, i) => 1000 + i / 3);
    const centred = deviations(rows, nodes, 3);
    const raw = centred.map((value, e) => pivot[e % nodes]! + value);
    const kept = { rows: new RowBuffer(nodes), pivot };
    const exact = new Float64Array(rows * nodes);
    // Float64, float32, and float64 kept as float32 deviations, in batches that do not fit the pieces.
    const part = (first: number, end: number): Float64Array => raw.subarray(first * nodes, end * nodes);
    kept.rows.append(part(0, 100), 100);
    kept.rows.append(new Float32Array(part(100, 420)), 320);
    kept.rows.appendCentred(part(420, 600), 180, pivot);
    raw.forEach((value, e) => {
      const row = Math.floor(e / nodes);
      const about = pivot[e % nodes]!;
      exact[e] =
        row < 100 ? value - about : row < 420 ? Math.fround(value) - about : Math.fround(value - about);
    });
    const growing = new IncrementalProduct(nodes, new TiledMatmul(nodes, kernel), false);
    expect(kept.rows.end).toBe(rows);
    runToEnd(growing.catchUp(kept, kept));
    expect(worstError(growing.sums, product(exact, exact, rows, nodes), rows)).toBeLessThanOrEqual(1);
  });

  it('grow by the rows that they have not seen, also after those before were let go', () => {
    const nodes = 6;
    const [before, after] = [deviations(300, nodes, 5), deviations(2, nodes, 6)];
    const growing = new IncrementalProduct(nodes, new TiledMatmul(nodes, kernel), true);
    const kept = side(before, 300, nodes);
    runToEnd(growing.catchUp(kept, kept));
    expect(growing.seen).toBe(300);
    kept.rows.dropAll();
    kept.rows.append(after, 2);
    runToEnd(growing.catchUp(kept, kept));
    const all = Float64Array.from([...before, ...after]);
    expect(worstError(growing.sums, product(all, all, 302, nodes), 302)).toBeLessThanOrEqual(1);
  });

  it('go on where they were broken off', () => {
    const [nodes, rows] = [300, 520];
    const x = deviations(rows, nodes, 7);
    const narrow = new TiledMatmul(nodes, kernel, 256 * nodes);
    expect(narrow.tileColumns).toBe(256);
    const growing = new IncrementalProduct(nodes, narrow, true);
    const kept = side(x, rows, nodes);
    for (let steps = 1; growing.seen < rows; steps++) {
      const work = growing.catchUp(kept, kept);
      for (let step = 0; step < steps && !work.next().done; step++);
    }
    expect(worstError(growing.sums, product(x, x, rows, nodes), rows)).toBeLessThanOrEqual(1);
  });

  it('give equal columns sums that are equal to the bit, wherever the columns lie', () => {
    const [nodes, rows] = [279, 57];
    const x = deviations(rows, nodes, 7);
    const y = deviations(rows, nodes, 8);
    // Copies in the same panel, in another panel, in another block, and in the last panel, which is not full.
    const copies = [0, 2, 41, 260, 278];
    for (const values of [x, y]) {
      for (const copy of copies) {
        for (let k = 0; k < rows; k++) values[k * nodes + copy] = x[k * nodes]!;
      }
    }
    const { xy, xx } = productsOf(x, y, rows, nodes, kernel);
    const row = (matrix: Float64Array, i: number): Float64Array => matrix.slice(i * nodes, (i + 1) * nodes);
    for (const copy of copies) {
      expect(row(xy, copy)).toEqual(row(xy, 0));
      expect(row(xx, copy)).toEqual(row(xx, 0));
      // Against themselves the columns of x and of y are one and the same numbers.
      for (const other of copies) {
        expect(xy[copy * nodes + other]).toBe(xx[0]);
        expect(xx[copy * nodes + other]).toBe(xx[0]);
      }
    }
  });
});

describe('the WebAssembly kernel', () => {
  // Sizes about the widths of panels, 4, 6 and 8; 259 lie in two tiles.
  const sizes = [1, 2, 5, 6, 7, 8, 9, 23, 24, 25, 259].map((nodes) => [nodes] as const);

  it.each(sizes)('gives the same sums to the bit in either shape: %i nodes', (nodes) => {
    const rows = 270;
    const x = deviations(rows, nodes, 9);
    const y = deviations(rows, nodes, 10);
    const of = (bits: VectorBits, fused: boolean) =>
      productsOf(x, y, rows, nodes, wasmKernel(bits, fused), 256 * nodes);
    expect(of(256, true)).toEqual(of(128, true));
    // Without fusing also those of plain JavaScript: the same order of additions, and the same roundings.
    const scalar = productsOf(x, y, rows, nodes, scalarBlockKernel);
    expect(of(128, false)).toEqual(scalar);
    expect(of(256, false)).toEqual(scalar);
  });

  it('has the shape for the vectors and the engine of this process, and says so', () => {
    const bits = vectorBits();
    // V8 11.3 spills from twelve sums on.
    const rows = process.versions.v8.startsWith('11.3.') ? 4 : 6;
    const { leftWidth, rightWidth, description } = wasmBlockKernel()!;
    expect([leftWidth, rightWidth]).toEqual(bits === 256 ? [6, 8] : [rows, 4]);
    expect(description.endsWith(', in vectors of 256 bits')).toBe(bits === 256);
  });

  it.each([
    [[], 128],
    [['--experimental-wasm-revectorize'], 256],
    [['--max-old-space-size=4096', '--experimental_wasm_revectorize'], 256],
    [['--trace-wasm-revectorize', '-e', 'f("--experimental-wasm-revectorize")'], 128],
    [['--no-experimental-wasm-revectorize'], 128],
    [['--experimental-wasm-revectorize', '--noexperimental-wasm-revectorize'], 128],
    [['--no-experimental-wasm-revectorize', '--experimental-wasm-revectorize'], 256],
  ] as const)('takes Node started with %j for one with vectors of %i bits', (flags, bits) => {
    expect(vectorBits(flags)).toBe(bits);
  });

  it('comes from a module that every page may compile at once: under four kilobytes, and valid', () => {
    for (const bits of [128, 256] as const) {
      const bytes = encodeBlocks(bits, false);
      expect(bytes.length).toBeLessThan(4096);
      expect(WebAssembly.validate(bytes)).toBe(true);
      expect(encodeBlocks(bits, true).length).toBeLessThan(4096);
    }
  });
});
