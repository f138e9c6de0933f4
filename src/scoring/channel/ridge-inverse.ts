import { spanBytes, type Doubles, type MixedBlocks } from '../../statistics/mixed-blocks.ts';
import type { UpperColumns } from './gram.ts';
import { invert, invertBytes, invertRows, invertStride } from './invert.ts';

/** Bytes of {@link newSystem}, and of the scratch memory of {@link invertRidge}. */
export function systemBytes(memory: MixedBlocks, size: number): number {
  const matrix = invertRows(memory, size) * invertStride(memory, size);
  return spanBytes({ length: matrix, bytes: 8 }) + invertBytes(memory, size);
}

/** A square matrix of float64 in the memory. */
export interface System extends Doubles, UpperColumns {}

/** A matrix of zeros, for sums that {@link invertRidge} takes. */
export function newSystem(memory: MixedBlocks, size: number): System {
  const stride = invertStride(memory, size);
  const matrix = memory.doubles(invertRows(memory, size) * stride);
  matrix.values.fill(0);
  return { ...matrix, stride, first: 0, end: size };
}

/** Overwrites sums S, given their upper triangle, with (S/n + lambda I)^-1. */
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

/** The full symmetric matrix in float64, in memory of its own. */
export function symmetricDoubles({ values, stride }: System, size: number): Float64Array<ArrayBuffer> {
  const whole = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    whole.set(values.subarray(i * stride + i, i * stride + size), i * size + i);
    for (let j = i + 1; j < size; j++) whole[j * size + i] = whole[i * size + j]!;
  }
  return whole;
}
