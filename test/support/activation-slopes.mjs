/** Comparison of activation slopes: shared by the tests of both providers and the table of measured errors. */

/** Wherever torch in float32 is this close to float64, relative to the slope, training graphs must be as well. */
export const TOLERANCE = 1e-4;

/**
 * A slope that suffers from cancellation is right at scattered points by luck: torch counts as right only where it is
 * right at this many grid points to either side as well.
 */
const NEIGHBOURS = 4;

/** Slopes below the smallest normal float32 are left out: GPUs flush them to 0. */
const SMALLEST_NORMAL = 2 ** -126;

/**
 * @typedef {object} SlopeErrors largest errors relative to the slope
 * @property {number} points number of grid points where torch is within the tolerance, neighbours included
 * @property {number} torch torch's error at those points
 * @property {number} ours our error at those points
 * @property {number} at x at our largest error
 * @property {number} torchAnywhere torch's error at all points of the grid
 * @property {number} oursAnywhere our error at all points of the grid
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
    // NaN counts as larger than any other error.
    if (ours <= errors.ours) continue;
    errors.ours = ours;
    errors.at = grid[i] ?? NaN;
  }
  return errors;
}

/** The input whose gradient a case requests: `x`, or `a` for a gate. @param {string} name */
export function askedOf(name) {
  return name.endsWith('-gate') ? 'a' : 'x';
}
