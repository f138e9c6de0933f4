import { expect } from 'vitest';
import type { BlockValues, TrainingSession } from '../../src/index.ts';
import { fixture } from './model-files.ts';
import { npzArrays, type NpyArray } from './npz-arrays.ts';
import { relativeError } from './run-onnx.ts';

/** Goldens are torch's float64 values; float32 must agree with them within this (largest error over largest value). */
export const tolerance = 1e-5;

export interface GoldenBatch {
  /** First sample of the batch */
  readonly from: number;
  readonly size: number;
  readonly x: Float32Array;
  readonly y: Float32Array;
}

/** Samples `from .. from + size - 1` of an array `[samples, columns]`. */
export function rowsOf({ shape, data }: NpyArray, from: number, size: number): Float64Array {
  const columns = data.length / shape[0]!;
  return data.subarray(from * columns, (from + size) * columns);
}

/** The golden arrays of a fixture model, and its batches of 5, 1 and 3 samples. */
export function goldenOf(name: string): { golden: Record<string, NpyArray>; batches: GoldenBatch[] } {
  const golden = npzArrays(fixture(name, 'golden.npz'));
  let from = 0;
  const batches = Array.from(golden.batch_sizes!.data, (size) => {
    const x = Float32Array.from(rowsOf(golden.x!, from, size));
    const y = Float32Array.from(rowsOf(golden.y!, from, size));
    from += size;
    return { from: from - size, size, x, y };
  });
  return { golden, batches };
}

/** A run's values as plain arrays; disposes of the run. */
export async function valuesOf(
  session: TrainingSession,
  { x, y, size }: Pick<GoldenBatch, 'x' | 'y' | 'size'>,
  edgeMask?: Float32Array,
): Promise<Pick<Record<keyof BlockValues, Float32Array[]>, 'activations' | 'gradients'>> {
  const run = await session.run(x, y, size, edgeMask);
  const copy = (values: BlockValues['gradients']): Float32Array[] =>
    values.map((value) => Float32Array.from(value as Float32Array));
  const values = { activations: copy(run.activations), gradients: copy(run.gradients) };
  run.dispose();
  return values;
}

/** Compares whole arrays, within {@link tolerance}. */
export function expectClose(found: ArrayLike<number>, expected: ArrayLike<number>, what: string): void {
  expect(relativeError(found, expected), what).toBeLessThan(tolerance);
}

/**
 * The score of docs/method.md in float64: Pearson's r between the l1 magnitudes of node `source`'s activations and node
 * `target`'s gradients, mean over the layer pairs that have one (NaN if none has).
 * @param activations a list of `[samples, channels]` arrays, one per pair, as `gradients`
 * @param groups the function node of each channel
 */
export function pairCorrelation(
  activations: readonly ArrayLike<number>[],
  gradients: readonly ArrayLike<number>[],
  groups: readonly number[],
  source: number,
  target: number,
): number {
  const magnitudes = (values: ArrayLike<number>, node: number): number[] =>
    Array.from({ length: values.length / groups.length }, (_, sample) =>
      groups.reduce(
        (sum, group, channel) =>
          group === node ? sum + Math.abs(values[sample * groups.length + channel]!) : sum,
        0,
      ),
    );
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  const deviations = (values: readonly number[]): number[] => {
    const centre = mean(values);
    return values.map((value) => value - centre);
  };
  const product = (a: readonly number[], b: readonly number[]): number =>
    mean(a.map((value, i) => value * b[i]!));
  const scores = activations.map((values, pair) => {
    const rawX = magnitudes(values, source);
    const rawY = magnitudes(gradients[pair]!, target);
    const [x, y] = [deviations(rawX), deviations(rawY)];
    const [varianceX, varianceY] = [product(x, x), product(y, y)];
    const constant = varianceX <= 1e-14 * product(rawX, rawX) || varianceY <= 1e-14 * product(rawY, rawY);
    return !constant ? product(x, y) / Math.sqrt(varianceX * varianceY) : NaN;
  });
  return mean(scores.filter((score) => !Number.isNaN(score)));
}
