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

/** Largest scaled deviation whose squares a float32 has room for, 2^27 of them. */
const LARGEST = 2 ** 50;

/** Scaled values of a column that has been zero so far need no other scale where they are within these. */
const ORDINARY = [2 ** -20, 2 ** 20] as const;

/** What sums are about: `[2 P, stride]`, see SumSource. */
interface ColumnBuffers {
  readonly pivots: OwnedBuffer;
  readonly columnSums: OwnedBuffer;
}

/**
 * Sees to it that ranges of rows may join sums in float32: their deviations, times the scales of their columns, must be
 * neither too large nor, where a column has had nothing but zeros, too small. What has joined so far does not count
 * where it is nothing: such columns get another scale where they are.
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
   * Fits scales to ranges, of columns whose sums are all zero.
   *
   * @param settle has what is recorded take effect on the sums
   * @returns the largest deviation of each column, `[2 P, stride]`, where those of others are beyond what sums hold
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

  /** The largest deviation of each column, and what it is from, `[2 P, stride]` both. */
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
