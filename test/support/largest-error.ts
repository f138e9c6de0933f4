import { expect } from 'vitest';

/** Largest difference between two arrays of numbers; NaN equals NaN. @throws if only one has NaN */
export function largestError(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(found.length).toBe(expected.length);
  let worst = 0;
  for (let k = 0; k < expected.length; k++) {
    const both = Number.isNaN(found[k]!) && Number.isNaN(expected[k]!);
    worst = Math.max(worst, both ? 0 : Math.abs(found[k]! - expected[k]!));
    if (Number.isNaN(worst)) throw new Error(`element ${k}: ${found[k]!} where ${expected[k]!} was expected`);
  }
  return worst;
}
