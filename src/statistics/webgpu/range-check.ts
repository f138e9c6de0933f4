import { createStorage, type BufferView } from '../../gpu/buffer.ts';
import type { GpuContext } from '../../gpu/device.ts';
import { compileKernel, type KernelOf } from '../../gpu/kernel.ts';
import { readBack } from '../../gpu/readback.ts';
import { Recorder } from '../../gpu/recorder.ts';
import type { RowRange } from './kept-rows.ts';
import { rangeCheckKernel, WORKGROUP } from './kernels.ts';
import { quantityOf, type StatisticsLayout } from './layout.ts';

/** Largest scaled deviation whose squares a float32 has room for, 2^27 of them. */
const LARGEST = 2 ** 50;

/** Looks at ranges of rows for deviations beyond what sums in float32 hold with the scales of their columns. */
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
   * The largest scaled deviation of each column, `[2 P, stride]`, where any is beyond what sums hold; else undefined.
   *
   * @throws `gpu-validation`, `out-of-memory`, `device-lost`
   */
  async beyond(ranges: readonly RowRange[], pivots: BufferView): Promise<Float32Array | undefined> {
    if (ranges.length === 0) return undefined;
    const { pairs, together, stride, chunkRows } = this.#layout;
    const largest = createStorage(this.#context, 'largest deviations', 4 * 2 * pairs * stride);
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
              quantity: quantityOf.x(group * together),
            },
            { refusal: this.#refusal, pivots, chunk: buffer, largest },
            [Math.ceil(stride / WORKGROUP), 1, 2 * together],
          );
        }
      }
      await recorder.submit('a look at the range of values');
      const [bytes] = await readBack(this.#context, [largest]);
      const found = new Float32Array(bytes!);
      return found.some((deviation) => deviation > LARGEST) ? found : undefined;
    } finally {
      largest.destroy();
    }
  }
}
