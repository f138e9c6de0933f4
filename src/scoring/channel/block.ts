import { ObservationRows } from './rows.ts';
import type { ChannelSystem } from './system.ts';

/** Iterations end when the residual is this small, relative to the right-hand side. */
const TOLERANCE = 1e-7;
/** Most iterations: float64 gets no further. */
const MOST_ITERATIONS = 1000;
/** Rows of F between two yields: about a millisecond of work at a few thousand columns. */
const ROWS_PER_STEP = 256;

/**
 * B_ij of one pair of nodes (method.md, "Channel scores") by conjugate gradients on F'F/n + lambda I, one column of U
 * at a time: nothing is factored, which is cheaper for a single pair.
 *
 * @returns row-major `[used channels of the source, used channels of the target]`
 */
export function* channelBlock(
  system: ChannelSystem,
  source: number,
  target: number,
): Generator<undefined, Float64Array, undefined> {
  const { sources, targets } = system;
  const [firstRow, endRow] = [sources.starts[source]!, sources.starts[source + 1]!];
  const [first, end] = [targets.starts[target]!, targets.starts[target + 1]!];
  const block = new Float64Array((endRow - firstRow) * (end - first));
  if (block.length === 0) return block;
  const { observations: n } = system;
  const rows = new ObservationRows(system);
  const stride = sources.channels.length;
  const f = new Float32Array(n * stride);
  rows.standardized([0, n], { values: f, stride });
  yield;
  const u = new Float32Array(n * (end - first));
  rows.scaledTargets([0, n], [first, end], undefined, { values: u, stride: end - first });
  for (let column = 0; column < end - first; column++) {
    const coefficients = yield* solve(system, f, yield* leftOf(system, f, u, column, end - first));
    for (let row = firstRow; row < endRow; row++)
      block[(row - firstRow) * (end - first) + column] = coefficients[row]!;
  }
  return block;
}

/** F'u/n */
function* leftOf(
  { observations: n, sources }: ChannelSystem,
  f: Float32Array,
  u: Float32Array,
  column: number,
  width: number,
): Generator<undefined, Float64Array, undefined> {
  const k = sources.channels.length;
  const out = new Float64Array(k);
  for (let row = 0; row < n; row++) {
    addMultiple(out, f, row * k, u[row * width + column]! / n);
    if (row % ROWS_PER_STEP === ROWS_PER_STEP - 1) yield;
  }
  return out;
}

/** (F'F/n + lambda I)^-1 b */
function* solve(
  system: ChannelSystem,
  f: Float32Array,
  b: Float64Array,
): Generator<undefined, Float64Array, undefined> {
  const x = new Float64Array(b.length);
  const residual = b;
  const direction = b.slice();
  const product = new Float64Array(b.length);
  let squared = dot(residual, residual);
  const enough = TOLERANCE ** 2 * squared;
  for (let iteration = 0; iteration < MOST_ITERATIONS && squared > enough; iteration++) {
    yield* multiply(system, f, direction, product);
    const step = squared / dot(direction, product);
    const before = squared;
    for (let c = 0; c < x.length; c++) {
      x[c]! += step * direction[c]!;
      residual[c]! -= step * product[c]!;
    }
    squared = dot(residual, residual);
    for (let c = 0; c < x.length; c++) direction[c] = residual[c]! + (squared / before) * direction[c]!;
  }
  return x;
}

/** out = (F'F/n + lambda I) v, in one pass over F. */
function* multiply(
  { observations: n, lambda }: ChannelSystem,
  f: Float32Array,
  v: Float64Array,
  out: Float64Array,
): Generator<undefined, void, undefined> {
  const k = v.length;
  for (let c = 0; c < k; c++) out[c] = lambda * v[c]!;
  for (let row = 0, at = 0; row < n; row++, at += k) {
    let sum = 0;
    for (let c = 0; c < k; c++) sum += f[at + c]! * v[c]!;
    addMultiple(out, f, at, sum / n);
    if (row % ROWS_PER_STEP === ROWS_PER_STEP - 1) yield;
  }
}

function addMultiple(out: Float64Array, f: Float32Array, at: number, factor: number): void {
  for (let c = 0; c < out.length; c++) out[c]! += f[at + c]! * factor;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let c = 0; c < a.length; c++) sum += a[c]! * b[c]!;
  return sum;
}
