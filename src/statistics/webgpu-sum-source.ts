import type { OwnedBuffer } from '../gpu/buffer.ts';
import type { Panel, StatisticsLayout } from './webgpu-layout.ts';

/**
 * What scores read of the statistics on the GPU: column sums, which are there, and products, which are asked for piece
 * by piece, since they may have to be formed first, and whole matrices of them may have no room. Products are
 * (high, low) pairs about the pivots, scaled.
 *
 * All buffers belong to the source. One that a method gives is good for commands submitted before the source is next
 * asked for anything.
 */
export interface SumSource {
  readonly layout: StatisticsLayout;
  /** `[2 P, stride]`: pivot, scale */
  readonly pivots: OwnedBuffer;
  /** `[2 P, stride]`: sum (high, low), sum of squares (high, low) */
  readonly columnSums: OwnedBuffer;

  /**
   * The sums of products of the targets of a panel with all sources, `[panel.rows, stride]`, laid out as
   * shaders/shared/sums.wgsl says: X^T Y, a row for each target.
   *
   * @param panel one of the layout's
   * @throws `gpu-validation`, `out-of-memory`, `device-lost`
   */
  sumXY(pair: number, panel: Panel): Promise<OwnedBuffer>;

  /**
   * Writes lines of X^T X to `into`, `[count, stride]` (high, low): for each listed source its sums of products with
   * all sources, and for DIAGONAL in place of a source each source's with itself, equal to those of the lines bit for
   * bit.
   *
   * @param lines `[count]` u32
   * @param into at least `[count, stride]` of 8 bytes; good until its owner writes it again
   * @throws `gpu-validation`, `out-of-memory`, `device-lost`
   */
  linesXX(pair: number, lines: OwnedBuffer, count: number, into: OwnedBuffer): Promise<void>;
}
