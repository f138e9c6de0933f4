import type { BufferView, OwnedBuffer } from '../../../gpu/buffer.ts';
import type { SubmitThrottle } from '../../../gpu/submit-throttle.ts';
import type { Panel, StatisticsLayout } from './layout.ts';

/**
 * The statistics on the GPU as the scores read them: column sums, which always exist, and products, which are requested
 * piece by piece, since they may have to be formed first and may not fit as whole matrices. Products are (high, low)
 * pairs about the pivots, scaled.
 *
 * Forming products may take long: with a throttle they are submitted in steps, and an abort ends that. Whether a source
 * keeps or discards what was formed until then, later results are correct.
 *
 * Returned views belong to the source, and are valid for commands submitted before the next request to the source.
 */
export interface SumSource {
  readonly layout: StatisticsLayout;
  /** Relative rounding of the sums: that of float64 if formed here, larger if loaded as (high, low) pairs */
  readonly roundoff: number;
  /** `[2 P, stride]`: pivot, scale */
  readonly pivots: OwnedBuffer;
  /** `[2 P, stride]`: sum (high, low), sum of squares (high, low) */
  readonly columnSums: OwnedBuffer;

  /**
   * The sums of products of the targets of a panel with all sources, `[panel.rows, stride]`, laid out as in
   * shaders/shared/sums.wgsl: X^T Y, one row per target.
   *
   * @param panel one of the layout's
   * @throws `gpu-validation`, `out-of-memory`, `device-lost`; the reason of the throttle's signal
   */
  sumXY(pair: number, panel: Panel, throttle?: SubmitThrottle): Promise<BufferView>;

  /**
   * Writes rows of X^T X to `into`: for each listed source its sums of products with all sources.
   *
   * @param into `[sources, stride]` (high, low), owned by the caller; readable by commands submitted afterwards
   * @throws `gpu-validation`, `out-of-memory`, `device-lost`; the reason of the throttle's signal
   */
  rowsXX(
    pair: number,
    sources: Uint32Array<ArrayBuffer>,
    into: BufferView,
    throttle?: SubmitThrottle,
  ): Promise<void>;

  /**
   * Writes the diagonal of X^T X to `into`: each source's sum of squares, bit for bit equal to that in its row.
   *
   * @param into `[stride]` (high, low), as above
   * @throws `gpu-validation`, `out-of-memory`, `device-lost`; the reason of the throttle's signal
   */
  diagonalXX(pair: number, into: BufferView, throttle?: SubmitThrottle): Promise<void>;
}
