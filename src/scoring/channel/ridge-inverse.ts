import { spanBytes, type Doubles, type MixedBlocks, type Singles } from '../../statistics/mixed-blocks.ts';
import { invert, invertBytes, invertRows, invertStride } from './invert.ts';
import { roundUp } from './panels.ts';

/** Rows of the inverse that are packed together: about this many, whole panels of either side. */
const STEP = 256;

/** Bytes of {@link newSystem}, and of what {@link invertRidge} takes. */
export function systemBytes(memory: MixedBlocks, size: number): number {
  const matrix = invertRows(memory, size) * invertStride(memory, size);
  return spanBytes({ length: matrix, bytes: 8 }) + invertBytes(memory, size);
}

/** {@link systemBytes}, and what {@link packInverse} takes. */
export function ridgeBytes(memory: MixedBlocks, size: number, side: 'left' | 'right'): number {
  const width = memory.single[`${side}Width`];
  return (
    systemBytes(memory, size) +
    spanBytes(
      { length: roundUp(size, STEP) * roundUp(size, width), bytes: 4 },
      { length: (STEP + width) * size, bytes: 4 },
    )
  );
}

/** A square matrix of float64 in the memory. */
export interface System extends Doubles {
  readonly stride: number;
}

/** A matrix of zeros, for sums that {@link invertRidge} takes. */
export function newSystem(memory: MixedBlocks, size: number): System {
  const stride = invertStride(memory, size);
  const matrix = memory.doubles(invertRows(memory, size) * stride);
  matrix.values.fill(0);
  return { ...matrix, stride };
}

/** (S/n + lambda I)^-1 in place of sums S, of which the upper triangle is there. */
export function* invertRidge(
  memory: MixedBlocks,
  matrix: System,
  size: number,
  observations: number,
  lambda: number,
): Generator<undefined, void, undefined> {
  const { values, stride } = matrix;
  for (let i = 0; i < size; i++) {
    for (let at = i * stride + i; at < i * stride + size; at++) values[at]! /= observations;
    values[i * stride + i]! += lambda;
  }
  yield* invert(memory, matrix, size);
}

/**
 * A symmetric matrix in float32, times a factor: as left panels with all rows, or as right panels in pieces of `STEP` rows.
 *
 * @param inverse of which the upper triangle is there
 */
export function packInverse(
  memory: MixedBlocks,
  { values, stride }: System,
  size: number,
  factor: number,
  side: 'left' | 'right',
): Singles {
  const { single } = memory;
  const width = single[`${side}Width`];
  const wide = roundUp(size, width);
  const packed = memory.singles(roundUp(size, STEP) * wide);
  const rows = memory.singles((STEP + width) * size);
  const step = side === 'left' ? Math.floor(STEP / width) * width : STEP;
  for (let first = 0; first < size; first += step) {
    const count = Math.min(step, size - first);
    readRows(values, stride, [first, count], size, factor, rows.values);
    const from = { address: rows.address, stride: size };
    if (side === 'right') {
      single.packColumns('right', from, count, size, packed.address + 4 * first * wide);
    } else {
      // Symmetric: rows are columns.
      single.packRows('left', from, count, size, packed.address + 4 * first * size);
    }
  }
  return packed;
}

/** A symmetric matrix in float32 as a whole, times a factor. */
export function symmetricSingles(
  { values, stride }: System,
  size: number,
  factor: number,
): Float32Array<ArrayBuffer> {
  const rows = new Float32Array(size * size);
  readRows(values, stride, [0, size], size, factor, rows);
  return rows;
}

/** A symmetric matrix in float64 as a whole, in memory of its own. */
export function symmetricDoubles({ values, stride }: System, size: number): Float64Array<ArrayBuffer> {
  const whole = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    whole.set(values.subarray(i * stride + i, i * stride + size), i * size + i);
    for (let j = i + 1; j < size; j++) whole[j * size + i] = whole[i * size + j]!;
  }
  return whole;
}

/** Rows that lie together in the right panels of {@link packInverse}. */
export const INVERSE_DEPTH = STEP;

function readRows(
  values: Float64Array,
  stride: number,
  [first, count]: readonly [number, number],
  size: number,
  factor: number,
  rows: Float32Array,
): void {
  for (let j = 0; j < first; j++) {
    for (let r = 0; r < count; r++) rows[r * size + j] = values[j * stride + first + r]! * factor;
  }
  for (let r = 0; r < count; r++) {
    for (let j = first; j < first + r; j++) rows[r * size + j] = values[j * stride + first + r]! * factor;
    for (let j = first + r; j < size; j++) rows[r * size + j] = values[(first + r) * stride + j]! * factor;
  }
}
