import fc from 'fast-check';
import { conditioningSets, type MagnitudeBatch } from '../../src/statistics.ts';
import { normalNumbers } from './random-numbers.ts';

const NODES = 6;
const SAMPLES = 60;

/** Float32 magnitudes round differently in every unit: by 2^-24 of each, with means of a few deviations. */
export const UNIT_ROUNDING = 1e-6;

/** A draw of magnitudes, a factor for the gradients, and how the samples are batched. */
export const drawnUnits = fc.record({
  seed: fc.integer({ min: 1, max: 1e6 }),
  constant: fc.double({ min: -12, max: 12, noNaN: true }).map((exponent) => 10 ** exponent),
  batchSize: fc.constantFrom(60, 7, 20),
  score: fc.constantFrom('corr', 'partial'),
});

/** Edges 0 -> 1, 2 -> 1 and 3 -> 4; without a ridge, so that whole columns are explained. */
export const unitsRequest = {
  score: 'partial' as 'corr' | 'partial',
  layerAgg: 'mean',
  ridge: 0,
  conditioningSets: conditioningSets(
    [
      [0, 2, 3],
      [1, 1, 4],
    ],
    NODES,
  ),
  varianceFloor: undefined as number | undefined,
} as const;

/**
 * Correlated magnitudes of six nodes in batches, those of gradients multiplied by a constant. y2 is constant, y5
 * differs only in the last digit of one sample, y4 equals x3, and x5 equals x0.
 */
export function inUnit(seed: number, constant: number, batchSize: number): MagnitudeBatch[] {
  const normal = normalNumbers(seed);
  const rows = Array.from({ length: SAMPLES }, (_, row) => {
    const factor = normal();
    const x = Array.from({ length: NODES }, (_, node) => 6 + (node % 3) * factor + normal());
    const y = Array.from({ length: NODES }, (_, node) => 5 + 0.4 * x[(node + 1) % NODES]! + normal());
    x[5] = x[0]!;
    y[2] = 3;
    y[4] = Math.fround(x[3]!);
    y[5] = 1 + 2 ** -23 * Number(row === 7);
    return { x, y: y.map((value) => Math.fround(value) * constant) };
  });
  const batches: MagnitudeBatch[] = [];
  for (let first = 0; first < SAMPLES; first += batchSize) {
    const own = rows.slice(first, first + batchSize);
    batches.push({
      size: own.length,
      x: [Float32Array.from(own.flatMap(({ x }) => x))],
      y: [Float32Array.from(own.flatMap(({ y }) => y))],
    });
  }
  return batches;
}
