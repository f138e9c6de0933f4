import { createStorage, type BufferView, type OwnedBuffer } from '../../../gpu/buffer.ts';
import type { GpuContext } from '../../../gpu/device.ts';
import { created } from '../../../gpu/error-scope.ts';
import { compileKernel, type KernelOf } from '../../../gpu/kernel.ts';
import { readBack } from '../../../gpu/readback.ts';
import { Recorder } from '../../../gpu/recorder.ts';
import type { RowRange } from './gpu-row-store.ts';
import { rangeCheckKernel, WORKGROUP } from './statistics-kernels.ts';
import { quantityOf, type StatisticsLayout } from './layout.ts';
import { scaleFor } from './transfer.ts';

/** Largest scaled deviation: a float32 holds the sum of 2^27 of its squares. */
const LARGEST = 2 ** 50;

/** A column that has been zero so far keeps its scale if its scaled values are within these bounds. */
const ORDINARY = [2 ** -20, 2 ** 20] as const;

/** Pivots and column sums, `[2 P, stride]`; see SumSource. */
interface ColumnBuffers {
  readonly pivots: OwnedBuffer;
  readonly columnSums: OwnedBuffer;
}

/**
 * Ensures that ranges of rows can be added to sums in float32: their deviations, times the scales of their columns,
 * must not be too large, nor too small if the column has been all zeros. Columns whose sums are zero are given another
 * scale in place.
 */
export class RangeCheck {
  readonly #context: GpuContext;
  readonly #layout: StatisticsLayout;
  readonly #refusal: BufferView;
  readonly #kernel: KernelOf<typeof rangeCheckKernel>;

  private constructor(
    context: GpuContext,
    layout: StatisticsLayout,
    refusal: BufferView,
    kernel: KernelOf<typeof rangeCheckKernel>,
  ) {
    this.#context = context;
    this.#layout = layout;
    this.#refusal = refusal;
    this.#kernel = kernel;
  }

  /** @throws `gpu-validation`, `device-lost` */
  static async create(
    context: GpuContext,
    layout: StatisticsLayout,
    refusal: BufferView,
  ): Promise<RangeCheck> {
    const kernel = await compileKernel(context, rangeCheckKernel, { WORKGROUP });
    return new RangeCheck(context, layout, refusal, kernel);
  }

  /**
   * Fits the scales of columns whose sums are all zero to `ranges`.
   *
   * @param settle submits what is still recorded for the sums
   * @returns the largest deviation of each column, `[2 P, stride]`, if any exceeds what the sums hold; else undefined
   * @throws `gpu-validation`, `out-of-memory`, `device-lost`
   */
  async fit(
    ranges: readonly RowRange[],
    columns: ColumnBuffers,
    settle: () => Promise<void>,
  ): Promise<Float32Array | undefined> {
    if (ranges.length === 0) return undefined;
    const { largest, pivots } = await this.#look(ranges, columns.pivots);
    const isBeyond = (at: number): boolean => largest[at]! * pivots[2 * at + 1]! > LARGEST;
    const isLate = (at: number): boolean =>
      largest[at]! > 0 &&
      (largest[at]! < ORDINARY[0] || largest[at]! > ORDINARY[1]) &&
      pivots[2 * at] === 0 &&
      pivots[2 * at + 1] === 1;
    const others = indices(largest.length).filter((at) => isBeyond(at) || isLate(at));
    if (others.length === 0) return undefined;
    await settle();
    const [bytes] = await readBack(this.#context, [columns.columnSums]);
    const sums = new Float32Array(bytes!);
    const empty = others.filter((at) => sums[4 * at + 2] === 0 && sums[4 * at + 3] === 0);
    if (empty.length > 0) {
      for (const at of empty) pivots[2 * at + 1] = scaleFor(Math.max(pivots[2 * at]!, largest[at]!));
      this.#context.device.queue.writeBuffer(columns.pivots.buffer, 0, pivots);
    }
    return others.some(isBeyond) ? largest : undefined;
  }

  /** The largest deviation of each column, `[2 P, stride]`, and the pivots and scales, `[2 P, stride, 2]`. */
  async #look(ranges: readonly RowRange[], pivots: OwnedBuffer) {
    const { pairs, pairsPerBuffer, stride, chunkRows } = this.#layout;
    const largest = await created(this.#context, 'largest deviations', () =>
      createStorage(this.#context, 'largest deviations', 4 * 2 * pairs * stride),
    );
    try {
      const recorder = new Recorder(this.#context);
      for (const { chunk, rows, firstRow, firstBatch, endBatch } of ranges) {
        for (const [group, buffer] of chunk.entries()) {
          recorder.dispatch(
            this.#kernel,
            {
              rows,
              first_row: firstRow,
              first_batch: firstBatch,
              end_batch: endBatch,
              stride,
              chunk_rows: chunkRows,
              quantity: quantityOf.x(group * pairsPerBuffer),
            },
            { refusal: this.#refusal, pivots, chunk: buffer, largest },
            [Math.ceil(stride / WORKGROUP), 1, 2 * pairsPerBuffer],
          );
        }
      }
      await recorder.submit('a look at the range of values');
      const [found, about] = await readBack(this.#context, [largest, pivots]);
      return { largest: new Float32Array(found!), pivots: new Float32Array(about!) };
    } finally {
      largest.destroy();
    }
  }
}

function indices(length: number): number[] {
  return Array.from({ length }, (_, at) => at);
}
