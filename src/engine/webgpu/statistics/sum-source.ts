import type { BufferView, OwnedBuffer } from '../../../gpu/buffer.ts';
import type { SubmitThrottle } from '../../../gpu/submit-throttle.ts';
import type { Panel, StatisticsLayout } from './layout.ts';

/**
 * What scores read of the statistics on the GPU: column sums, which are there, and products, which are asked for piece
 * by piece, since they may have to be formed first, and whole matrices of them may have no room. Products are
 * (high, low) pairs about the pivots, scaled.
 *
 * Forming takes as long as it takes: with a yielder it is submitted in steps, and an abort ends it; what has been
 * formed until then is lost or kept as suits the source, and is right either way.
 *
 * What a method gives belongs to the source, and is good for commands submitted before the source is next asked for
 * anything.
 */
export interface SumSource {
  readonly layout: StatisticsLayout;
  /** Of the sums, relative to them: float64's where they were formed here, more where they came in (high, low) pairs */
  readonly roundoff: number;
  /** `[2 P, stride]`: pivot, scale */
  readonly pivots: OwnedBuffer;
  /** `[2 P, stride]`: sum (high, low), sum of squares (high, low) */
  readonly columnSums: OwnedBuffer;

  /**
   * The sums of products of the targets of a panel with all sources, `[panel.rows, stride]`, laid out as
   * shaders/shared/sums.wgsl says: X^T Y, a row for each target.
   *
   * @param panel one of the layout's
   * @throws `gpu-validation`, `out-of-memory`, `device-lost`; the reason of the yielder's signal
   */
  sumXY(pair: number, panel: Panel, yielder?: SubmitThrottle): Promise<BufferView>;

  /**
   * Writes lines of X^T X to `into`: for each listed source its sums of products with all sources.
   *
   * @param into room for `[sources, stride]` (high, low); the caller's, read by commands submitted from then on
   * @throws `gpu-validation`, `out-of-memory`, `device-lost`; the reason of the yielder's signal
   */
  rowsXX(
    pair: number,
    sources: Uint32Array<ArrayBuffer>,
    into: BufferView,
    yielder?: SubmitThrottle,
  ): Promise<void>;

  /**
   * Writes the diagonal of X^T X to `into`: each source's sum of squares, equal to that in its line bit for bit.
   *
   * @param into room for `[stride]` (high, low), as above
   * @throws `gpu-validation`, `out-of-memory`, `device-lost`; the reason of the yielder's signal
   */
  diagonalXX(pair: number, into: BufferView, yielder?: SubmitThrottle): Promise<void>;
}
