import { describe, expect, it } from 'vitest';
import { mirrorUpper } from '../../../src/statistics/products.ts';
import { createScalarProducts } from '../../../src/statistics/scalar-products.ts';
import { encodeBlockKernel } from '../../../src/statistics/wasm-block-kernel.ts';
import { createWasmProducts } from '../../../src/statistics/wasm-products.ts';

const MAX_ROWS = 300;

function wasmProducts(nodes: number) {
  const products = createWasmProducts(nodes, MAX_ROWS);
  if (products === undefined) throw new Error('This test needs WebAssembly SIMD.');
  return products;
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

describe('products in WebAssembly', () => {
  const sizes = [1, 3, 5, 33, 130].flatMap((nodes) => [1, 7, 256, 300].map((rows) => [nodes, rows] as const));

  it.each(sizes)('agree with float64 dot products: %i nodes, %i rows', (nodes, rows) => {
    const x = deviations(rows, nodes, 1);
    const y = deviations(rows, nodes, 2);
    const sumXY = new Float64Array(nodes * nodes);
    const sumXX = new Float64Array(nodes * nodes);
    wasmProducts(nodes).addProducts(x, y, rows, sumXY, sumXX);
    mirrorUpper(sumXX, nodes);
    expect(worstError(sumXY, product(x, y, rows, nodes), rows)).toBeLessThanOrEqual(1);
    expect(worstError(sumXX, product(x, x, rows, nodes), rows)).toBeLessThanOrEqual(1);
  });

  it('cross the boundary of a block of panels', () => {
    const [nodes, rows] = [261, 9];
    const x = deviations(rows, nodes, 3);
    const y = deviations(rows, nodes, 4);
    const found = { sumXY: new Float64Array(nodes ** 2), sumXX: new Float64Array(nodes ** 2) };
    wasmProducts(nodes).addProducts(x, y, rows, found.sumXY, found.sumXX);
    mirrorUpper(found.sumXX, nodes);
    expect(worstError(found.sumXY, product(x, y, rows, nodes), rows)).toBeLessThanOrEqual(1);
    expect(worstError(found.sumXX, product(x, x, rows, nodes), rows)).toBeLessThanOrEqual(1);
  });

  it('are added to what the sums hold, chunk after chunk, with no trace of a longer chunk before', () => {
    const nodes = 6;
    const long = deviations(MAX_ROWS, nodes, 5);
    const short = deviations(2, nodes, 6);
    const products = wasmProducts(nodes);
    const sumXY = new Float64Array(nodes * nodes);
    const sumXX = new Float64Array(nodes * nodes);
    products.addProducts(long, long, MAX_ROWS, sumXY, sumXX);
    products.addProducts(short, short, 2, sumXY, sumXX);
    const all = Float64Array.from([...long, ...short]);
    const oracle = product(all, all, MAX_ROWS + 2, nodes);
    expect(worstError(sumXY, oracle, MAX_ROWS + 2)).toBeLessThanOrEqual(1);
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
    const sumXY = new Float64Array(nodes * nodes);
    const sumXX = new Float64Array(nodes * nodes);
    wasmProducts(nodes).addProducts(x, y, rows, sumXY, sumXX);
    mirrorUpper(sumXX, nodes);
    const row = (matrix: Float64Array, i: number): Float64Array => matrix.slice(i * nodes, (i + 1) * nodes);
    for (const copy of copies) {
      expect(row(sumXY, copy)).toEqual(row(sumXY, 0));
      expect(row(sumXX, copy)).toEqual(row(sumXX, 0));
      // Against themselves the columns of x and of y are one and the same numbers.
      for (const other of copies) {
        expect(sumXY[copy * nodes + other]).toBe(sumXX[0]);
        expect(sumXX[copy * nodes + other]).toBe(sumXX[0]);
      }
    }
  });

  it('without fused products are those of plain JavaScript to the bit', () => {
    // Same order of additions and the same roundings; only fusing would tell them apart.
    const [nodes, rows] = [37, 200];
    const x = deviations(rows, nodes, 9);
    const y = deviations(rows, nodes, 10);
    const products = wasmProducts(nodes);
    const plain = { xy: new Float64Array(nodes ** 2), xx: new Float64Array(nodes ** 2) };
    const vector = { xy: new Float64Array(nodes ** 2), xx: new Float64Array(nodes ** 2) };
    createScalarProducts(nodes, rows).addProducts(x, y, rows, plain.xy, plain.xx);
    products.addProducts(x, y, rows, vector.xy, vector.xx);
    mirrorUpper(plain.xx, nodes);
    mirrorUpper(vector.xx, nodes);
    if (products.description === 'WebAssembly SIMD') {
      expect(vector).toEqual(plain);
    } else {
      expect(worstError(vector.xy, product(x, y, rows, nodes), rows)).toBeLessThanOrEqual(1);
    }
  });

  it('come from a module that every page may compile at once: under four kilobytes, and valid', () => {
    const bytes = encodeBlockKernel(false);
    expect(bytes.length).toBeLessThan(4096);
    expect(WebAssembly.validate(bytes)).toBe(true);
    expect(encodeBlockKernel(true).length).toBeLessThan(4096);
  });
});
