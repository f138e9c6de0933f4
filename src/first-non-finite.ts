/**
 * Index of the first NaN or infinity, or -1. Sums `v * 0`, which is zero for finite values only: one pass without
 * branches, and a second one only if something was found.
 */
export function firstNonFinite(values: Float32Array | Float64Array): number {
  return allFinite(values) ? -1 : values.findIndex((value) => !Number.isFinite(value));
}

function allFinite(values: Float32Array | Float64Array): boolean {
  // Four independent sums; by index, since `for of` takes several times as long in today's engines.
  let [r0, r1, r2, r3] = [0, 0, 0, 0];
  const count = values.length;
  const fours = count - (count % 4);
  for (let k = 0; k < fours; k += 4) {
    r0 += values[k]! * 0;
    r1 += values[k + 1]! * 0;
    r2 += values[k + 2]! * 0;
    r3 += values[k + 3]! * 0;
  }
  for (let k = fours; k < count; k++) r0 += values[k]! * 0;
  return r0 + r1 + r2 + r3 === 0;
}
