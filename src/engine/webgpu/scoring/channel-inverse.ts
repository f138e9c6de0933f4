import type { BufferPool, OwnedBuffer } from '../../../gpu/buffer.ts';
import { workgroups, type Recorder } from '../../../gpu/recorder.ts';
import type { Ridge } from '../../../scoring/channel/ridge-factor.ts';
import type { Precision } from '../statistics/statistics-kernels.ts';
import { doubleSingle, OPERATIONS_PER_STEP } from './block.ts';
import type { ChannelDevice } from './channel-device.ts';
import { TILE, WORKGROUP } from './channel-kernels.ts';

/** Rows, padded to whole blocks. */
function paddedSize(size: number): number {
  return TILE * Math.ceil(size / TILE);
}

/** Elements of the largest buffer that {@link invertOnDevice} creates. */
export function inverseElements(size: number): number {
  return 2 * paddedSize(size) ** 2;
}

/**
 * The inverse of a ridge regression's system, `(S/n + lambda I)^-1`, in float32, by elimination in blocks of
 * {@link TILE} rows of `[S/n + lambda I | I]`: a block on the diagonal is factored and its factor inverted, the rows of
 * the block are multiplied by that inverse, and are then eliminated from the rows below. The result is `[U | L^-1]`
 * with the Cholesky factor U, and the inverse is `X = L^-T L^-1`. 'exact' adds one Newton step `X (2 I - A X)`, with
 * `I - A X` in extended precision: before it, the error of X is float32 rounding times the condition number; after it,
 * the square of that plus the rounding of X itself. Twin: `invertRidge`.
 *
 * @param sums S as high and low words, `[size, size]`
 * @param pool owns the returned inverse, `[size, size]`
 * @throws `gpu-validation`, `out-of-memory`, `device-lost`; the signal's reason
 */
export async function invertOnDevice(
  device: ChannelDevice,
  pool: BufferPool,
  sums: OwnedBuffer,
  ridge: Ridge,
  precision: Precision,
): Promise<OwnedBuffer> {
  const { size } = ridge;
  const whole = [size, size, size] as const;
  const first = await device.withBuffers(async (own) => {
    const rows = paddedSize(size);
    const augmented = device.createBuffer(own, 'system', inverseElements(size));
    const inverse = device.createBuffer(pool, 'inverse', size ** 2);
    await device.run('the Cholesky factor of a system', (recorder) => {
      recordFactor(device, recorder, sums, augmented, ridge);
      const lower = { buffer: augmented, first: rows, stride: 2 * rows };
      const out = { buffer: inverse, stride: size };
      device.multiply(recorder, { a: lower, b: lower, out, sizes: whole, symmetric: true, lower: true });
    });
    return inverse;
  });
  if (precision === 'fast') return first;
  return device.withBuffers(async (own) => {
    const residual = device.createBuffer(own, 'residual', size ** 2);
    const refined = device.createBuffer(pool, 'refined inverse', size ** 2);
    const matrix = (buffer: OwnedBuffer) => ({ buffer, stride: size });
    await device.run('the refinement of an inverse', (recorder) => {
      recordResidual(device, recorder, { sums, inverse: first, residual }, ridge);
      const product = { a: matrix(first), b: matrix(residual), out: matrix(refined), sizes: whole };
      device.multiply(recorder, { ...product, plusA: true });
    });
    first.destroy();
    return refined;
  });
}

function recordFactor(
  device: ChannelDevice,
  recorder: Recorder,
  sums: OwnedBuffer,
  augmented: OwnedBuffer,
  { size, observations, lambda }: Ridge,
): void {
  const rows = paddedSize(size);
  const stride = 2 * rows;
  const { system, cholesky, eliminate } = device.kernels;
  recorder.dispatch(
    system,
    { size, rows, lambda, inverse_count: 1 / observations },
    { sums, augmented },
    workgroups(Math.ceil((rows * stride) / WORKGROUP)),
  );
  for (let block = 0; block < rows; block += TILE) {
    const below = block + TILE;
    // The remaining columns of A and the columns of L^-1 filled so far: their number is the same in each step.
    const columns = rows;
    const common = { block, stride, first_column: below };
    recorder.dispatch(cholesky, { first: block, stride }, { augmented }, [1, 1, 1]);
    recorder.dispatch(
      eliminate,
      { ...common, first_row: block, finish: 1 },
      { augmented },
      [columns / TILE, 1, 1],
      2 * TILE ** 2 * columns,
    );
    const perLine = 2 * TILE ** 2 * columns;
    for (const [first, end] of device.lines(rows - below, perLine)) {
      recorder.dispatch(
        eliminate,
        { ...common, first_row: below + TILE * first, finish: 0 },
        { augmented },
        [columns / TILE, end - first, 1],
        perLine * (end - first),
      );
    }
  }
}

function recordResidual(
  device: ChannelDevice,
  recorder: Recorder,
  buffers: Readonly<Record<'sums' | 'inverse' | 'residual', OwnedBuffer>>,
  { size, observations, lambda }: Ridge,
): void {
  const [lambda_high, lambda_low] = doubleSingle(lambda);
  const [inverse_count_high, inverse_count_low] = doubleSingle(1 / observations);
  const perLine = OPERATIONS_PER_STEP * TILE * size ** 2;
  for (const [first_line, end] of device.lines(size, perLine)) {
    recorder.dispatch(
      device.kernels.residual,
      { size, first_line, lambda_high, lambda_low, inverse_count_high, inverse_count_low, zero: 0 },
      buffers,
      [Math.ceil(size / TILE), end - first_line, 1],
      perLine * (end - first_line),
    );
  }
}
