/** How slopes of activations are compared: shared by the tests of both providers and the table of measured errors. */

/** Wherever torch in float32 is this close to float64, relative to the slope, training graphs have to be as well. */
export const TOLERANCE = 1e-4;

/**
 * A slope that cancels is right here and there by luck: torch counts as right where it is so at this many points of the grid
 * to either side as well.
 */
const NEIGHBOURS = 4;

/** Slopes below the smallest normal float32 are left out: GPUs take them for 0. */
const SMALLEST_NORMAL = 2 ** -126;

/**
 * @typedef {object} SlopeErrors largest errors relative to the slope
 * @property {number} points how many of the grid torch has within the tolerance, neighbours included
 * @property {number} torch torch's error at those
 * @property {number} ours ours at those
 * @property {number} at where ours is largest
 * @property {number} torchAnywhere torch's error at all points of the grid
 * @property {number} oursAnywhere ours at all points of the grid
 */

/**
 * @param {ArrayLike<number>} grid
 * @param {ArrayLike<number>} found ours, in float32
 * @param {ArrayLike<number>} right in float64
 * @param {ArrayLike<number>} torch in float32
 * @returns {SlopeErrors}
 */
export function slopeErrors(grid, found, right, torch) {
  const error = (/** @type {ArrayLike<number>} */ values, /** @type {number} */ i) =>
    Math.abs((values[i] ?? NaN) - (right[i] ?? NaN)) / Math.abs(right[i] ?? NaN);
  const counts = (/** @type {number} */ i) => Math.abs(right[i] ?? 0) >= SMALLEST_NORMAL;
  const torchIsRight = (/** @type {number} */ i) => {
    for (let near = Math.max(0, i - NEIGHBOURS); near <= Math.min(grid.length - 1, i + NEIGHBOURS); near++)
      if (counts(near) && !(error(torch, near) <= TOLERANCE)) return false;
    return true;
  };
  const errors = { points: 0, torch: 0, ours: 0, at: NaN, torchAnywhere: 0, oursAnywhere: 0 };
  for (let i = 0; i < grid.length; i++) {
    if (!counts(i)) continue;
    const [ours, theirs] = [error(found, i), error(torch, i)];
    errors.torchAnywhere = Math.max(errors.torchAnywhere, theirs);
    errors.oursAnywhere = Math.max(errors.oursAnywhere, ours);
    if (!torchIsRight(i)) continue;
    errors.points++;
    errors.torch = Math.max(errors.torch, theirs);
    // A NaN is larger than any other error.
    if (ours <= errors.ours) continue;
    errors.ours = ours;
    errors.at = grid[i] ?? NaN;
  }
  return errors;
}

/** What a case asks for: gradients of `x`, or of `a` where it is a gate's value that counts. @param {string} name */
export function askedOf(name) {
  return name.endsWith('-gate') ? 'a' : 'x';
}
