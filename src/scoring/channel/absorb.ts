import { spanBytes, type MixedBlocks } from '../../statistics/mixed-blocks.ts';
import type { PairRows } from '../../statistics/channel-record.ts';
import type { PairChannelSums } from '../../statistics/channel-sums.ts';
import { addProduct, WIDTH, type LeftPanels, type Range } from './products.ts';
import { addGramOfPanels, GRAM_DEPTH, gramBytes, gramScratch } from './gram.ts';
import { matrixBytes, newMatrix, placeIn, roundUp, type Matrix } from './panels.ts';

/**
 * Adds samples to the sums of a layer pair. Products, of activations minus their pivots, are in float32 over some
 * hundred samples, and added up in float64.
 *
 * @param channels index of each of the K channels within a row
 * @param width numbers per row
 * @returns yields some milliseconds of work apart
 * @throws `out-of-memory`
 */
export function* absorbRows(
  memory: MixedBlocks,
  sums: PairChannelSums,
  { x, u }: PairRows,
  channels: Uint32Array,
  width: number,
): Generator<undefined, void, undefined> {
  const { single } = memory;
  const size = channels.length;
  const [wide, high] = [roundUp(size, single.rightWidth), roundUp(size, single.leftWidth)];
  memory.clear(
    2 * matrixBytes(GRAM_DEPTH, size) +
      gramBytes(memory, size) +
      spanBytes({ length: GRAM_DEPTH * wide, bytes: 4 }, { length: high * roundUp(WIDTH, 16), bytes: 4 }),
  );
  const [deviations, gradients] = [newMatrix(memory, GRAM_DEPTH, size), newMatrix(memory, GRAM_DEPTH, size)];
  const scratch = gramScratch(memory, size);
  const right = memory.singles(GRAM_DEPTH * wide);
  const product: Matrix = { ...memory.singles(high * roundUp(WIDTH, 16)), stride: roundUp(WIDTH, 16) };
  for (const [b, block] of x.entries()) {
    for (let first = 0; first < block.length / width; first += GRAM_DEPTH) {
      const depth = Math.min(GRAM_DEPTH, block.length / width - first);
      for (let row = 0; row < depth; row++) {
        const from = (first + row) * width;
        const [own, to] = [[from, from + width] as const, [row * size, (row + 1) * size] as const];
        gatherDeviations(block.subarray(...own), channels, sums, deviations.values.subarray(...to));
        gatherGradients(u[b]!.subarray(...own), channels, sums, gradients.values.subarray(...to));
      }
      single.packColumns('left', deviations, depth, size, scratch.left.address);
      single.packColumns('right', deviations, depth, size, scratch.right.address);
      yield* addGramOfPanels(memory, scratch, scratch.left.address, depth, {
        values: sums.sumXX,
        stride: size,
        first: 0,
        end: size,
      });
      const left: LeftPanels = { address: scratch.left.address, rows: depth, columns: size };
      for (let column = 0; column < size; column += WIDTH) {
        const columns: Range = [column, Math.min(column + WIDTH, size)];
        const count = columns[1] - column;
        single.packColumns('right', placeIn(gradients, 0, column), depth, count, right.address);
        addProduct(
          memory,
          { left, rows: [0, depth], right: { address: right.address, columns: count } },
          product,
          true,
        );
        addColumns(product, columns, sums.sumXU, size);
        yield;
      }
    }
  }
}

function gatherDeviations(
  row: Float32Array,
  channels: Uint32Array,
  { pivot, sumX }: PairChannelSums,
  out: Float32Array,
): void {
  for (let c = 0; c < channels.length; c++) {
    const deviation = row[channels[c]!]! - pivot[c]!;
    sumX[c]! += deviation;
    out[c] = deviation;
  }
}

function gatherGradients(
  row: Float32Array,
  channels: Uint32Array,
  { sumU, sumU2 }: PairChannelSums,
  out: Float32Array,
): void {
  for (let c = 0; c < channels.length; c++) {
    const value = row[channels[c]!]!;
    sumU[c]! += value;
    sumU2[c]! += value * value;
    out[c] = value;
  }
}

function addColumns({ values, stride }: Matrix, [first, end]: Range, sums: Float64Array, size: number): void {
  for (let i = 0; i < size; i++) {
    const [from, to] = [i * stride - first, i * size];
    for (let j = first; j < end; j++) sums[to + j]! += values[from + j]!;
  }
}
