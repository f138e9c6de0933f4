import {
  BufferPool,
  createStorage,
  storageFrom,
  type BufferView,
  type OwnedBuffer,
} from '../../../gpu/buffer.ts';
import type { GpuContext } from '../../../gpu/device.ts';
import { created } from '../../../gpu/error-scope.ts';
import { compileKernel, type KernelOf } from '../../../gpu/kernel.ts';
import { Recorder, workgroups } from '../../../gpu/recorder.ts';
import type { SubmitThrottle } from '../../../gpu/submit-throttle.ts';
import type { SufficientStatistics } from '../../../statistics/sufficient-statistics.ts';
import { OnDemandProducts, type ProductInputs } from './on-demand-products.ts';
import type { GpuRowStore, RowRange } from './gpu-row-store.ts';
import { DIAGONAL, gatherSumsKernel, pivotsKernel, WORKGROUP } from './statistics-kernels.ts';
import { type Panel, type StatisticsLayout } from './layout.ts';
import { Matrices } from './matrices.ts';
import { TILES, type GpuMatmul } from './gpu-matmul.ts';
import { RangeCheck } from './range-check.ts';
import { readStatistics } from './read-statistics.ts';
import type { SumSource } from './sum-source.ts';
import { fixPivots } from './fix-pivots.ts';
import { packPair } from './transfer.ts';

/** Whether matrices of products are stored once formed, or formed by panel for each request. */
export type MatrixPlan = 'held' | 'formed';

interface Kernels {
  readonly fixPivots: KernelOf<typeof pivotsKernel>;
  readonly gather: KernelOf<typeof gatherSumsKernel>;
  readonly rangeCheck: RangeCheck;
}

/** Relative rounding of float64 sums from the host to two float32. */
const LOADED_ROUNDOFF = 2 ** -48;

/** What {@link GpuSums} works with; the caller owns all of it. */
interface SumsParts {
  /** Stored rows, closed by the caller before {@link GpuSums.update} */
  readonly rows: GpuRowStore;
  readonly matmul: GpuMatmul;
  readonly refusal: BufferView;
  readonly plan: MatrixPlan;
}

/**
 * Sufficient statistics on the GPU: sums about float32 pivots, scaled by powers of two, as (high, low) pairs of
 * float32. Pivots and scales are fixed by the first range of rows. {@link GpuSums.update} adds stored rows to the
 * column sums; products are formed on request.
 */
export class GpuSums implements SumSource {
  readonly layout: StatisticsLayout;
  readonly pivots: OwnedBuffer;
  readonly columnSums: OwnedBuffer;
  readonly #context: GpuContext;
  readonly #pool = new BufferPool();
  readonly #rows: GpuRowStore;
  readonly #matmul: GpuMatmul;
  readonly #refusal: BufferView;
  readonly #kernels: Kernels;
  /** Plan to start from after a reset */
  readonly #firstPlan: MatrixPlan;
  #plan: MatrixPlan;
  #onDemandProducts: OnDemandProducts | undefined;
  #xy: Matrices | undefined;
  #xx: Matrices | undefined;
  /** Accumulates ranges into sums; keeps the rest of an aborted request, which the next request submits first */
  #joining: Recorder;
  /** Failure after which ranges that count as added are missing from the sums */
  #failure: unknown;
  /** Ranges added to the column sums, or recorded for it */
  #counted = 0;
  /** Ranges that may be added; the rest is pending */
  #visible = Infinity;
  #pivotsFixed = false;
  #roundoff: number = Number.EPSILON;

  private constructor(context: GpuContext, { rows, matmul, refusal, plan }: SumsParts, kernels: Kernels) {
    this.#context = context;
    this.#rows = rows;
    this.#matmul = matmul;
    this.#refusal = refusal;
    this.#firstPlan = plan;
    this.#plan = plan;
    this.#kernels = kernels;
    this.#joining = new Recorder(context);
    this.layout = matmul.layout;
    const { pairs, stride } = this.layout;
    this.pivots = this.#pool.keep(createStorage(context, 'pivots', 8 * 2 * pairs * stride));
    this.columnSums = this.#pool.keep(createStorage(context, 'column sums', 16 * 2 * pairs * stride));
  }

  /** @throws `gpu-validation`, `out-of-memory`, `device-lost` */
  static async create(context: GpuContext, parts: SumsParts): Promise<GpuSums> {
    const { matmul, refusal } = parts;
    const [fixPivots, gather, rangeCheck] = await Promise.all([
      compileKernel(context, pivotsKernel, { WORKGROUP }),
      compileKernel(context, gatherSumsKernel, { WORKGROUP }),
      RangeCheck.create(context, matmul.layout, refusal),
    ]);
    const kernels = { fixPivots, gather, rangeCheck };
    return created(context, 'the sums', () => new GpuSums(context, parts, kernels));
  }

  /**
   * Adds closed ranges of rows, up to the first refused batch, to the column sums. The first range fixes the pivots.
   *
   * @throws `gpu-validation`, `out-of-memory`, `device-lost`; the reason of the throttle's signal, after which another
   *   call resumes
   */
  async update(throttle?: SubmitThrottle): Promise<void> {
    await this.#keepInRange();
    if (this.#counted < this.#ranges.length) await this.#join([], throttle);
  }

  /**
   * Adds all closed ranges to stored matrices, so that the rows are no longer needed; the plan becomes 'held'.
   *
   * @throws `out-of-memory` if the matrices do not fit, `device-lost`
   */
  async absorb(): Promise<void> {
    this.#plan = 'held';
    this.#onDemandProducts?.destroy();
    this.#onDemandProducts = undefined;
    this.#xy ??= await Matrices.create(this.#context, this.layout, 'X^T Y');
    this.#xx ??= await Matrices.create(this.#context, this.layout, 'X^T X');
    await this.#keepInRange();
    await this.#join([this.#xy, this.#xx]);
  }

  /** Must be called when the ranges absorbed by {@link GpuSums.absorb} have been dropped: their count restarts at 0. */
  rowsDropped(): void {
    this.#counted = 0;
    if (this.#xy) this.#xy.formed = 0;
    if (this.#xx) this.#xx.formed = 0;
  }

  async sumXY(pair: number, panel: Panel, throttle?: SubmitThrottle): Promise<BufferView> {
    if (this.#plan === 'formed')
      return (await this.#onDemand()).sumXY(this.#productInputs(throttle), pair, panel);
    this.#xy ??= await Matrices.create(this.#context, this.layout, 'X^T Y');
    await this.#join([this.#xy], throttle);
    return this.#xy.ofPair(pair, panel);
  }

  async rowsXX(
    pair: number,
    sources: Uint32Array<ArrayBuffer>,
    into: BufferView,
    throttle?: SubmitThrottle,
  ): Promise<void> {
    if (sources.length === 0) return;
    if (this.#plan === 'formed')
      return (await this.#onDemand()).rowsXX(this.#productInputs(throttle), pair, sources, into);
    await this.#gather(pair, sources, into, throttle);
  }

  async diagonalXX(pair: number, into: BufferView, throttle?: SubmitThrottle): Promise<void> {
    if (this.#plan === 'formed')
      return (await this.#onDemand()).diagonalXX(this.#productInputs(throttle), pair, into);
    await this.#gather(pair, Uint32Array.of(DIAGONAL), into, throttle);
  }

  /** Copies the statistics to the host, a panel at a time. @param samples known to be counted */
  read(samples: number): Promise<SufficientStatistics> {
    return readStatistics(this.#context, this, samples);
  }

  /**
   * Replaces all sums by those of the host; stored rows must have been dropped. Pivots are rounded to float32.
   *
   * @param largest `[2 P, stride]` deviations that scales must allow for
   */
  async load(statistics: SufficientStatistics, largest?: Float32Array): Promise<void> {
    await this.absorb();
    this.#roundoff = LOADED_ROUNDOFF;
    const { queue } = this.#context.device;
    const { pairs, stride, panels } = this.layout;
    const pivots = new Float32Array(2 * pairs * 2 * stride);
    const columnSums = new Float32Array(4 * pairs * 2 * stride);
    const columns = { pivots, columnSums };
    statistics.pairs.forEach((_, p) => {
      const { sumXY, sumXX } = packPair(this.layout, p, statistics, columns, largest);
      for (const panel of panels) {
        const [xy, xx] = [this.#xy!.ofPair(p, panel), this.#xx!.ofPair(p, panel)];
        queue.writeBuffer(xy.buffer, xy.offset, sumXY[panel.index]!);
        queue.writeBuffer(xx.buffer, xx.offset, sumXX[panel.index]!);
      }
    });
    queue.writeBuffer(this.pivots.buffer, 0, pivots);
    queue.writeBuffer(this.columnSums.buffer, 0, columnSums);
    this.#pivotsFixed = statistics.samples > 0;
  }

  /** Resets all sums and the pivots; the caller drops the rows. */
  clear(): void {
    this.#dropProducts();
    this.#plan = this.#firstPlan;
    this.#roundoff = Number.EPSILON;
    this.#joining = new Recorder(this.#context);
    this.#failure = undefined;
    const encoder = this.#context.device.createCommandEncoder({ label: 'reset' });
    encoder.clearBuffer(this.columnSums.buffer);
    this.#context.device.queue.submit([encoder.finish()]);
    this.#counted = 0;
    this.#pivotsFixed = false;
  }

  get roundoff(): number {
    return this.#roundoff;
  }

  /** Frees the sums. Idempotent. */
  destroy(): void {
    this.#dropProducts();
    this.#pool.destroy();
  }

  /**
   * Ensures that sums stay within float32 when pending ranges are added. The first range fixes the scales; if later
   * values far exceed it, the sums so far are read to the host, in float64, and loaded again with smaller scales.
   */
  async #keepInRange(): Promise<void> {
    const ranges = this.#ranges;
    if (this.#counted === ranges.length) return;
    if (!this.#pivotsFixed) {
      const columns = { refusal: this.#refusal, pivots: this.pivots };
      await fixPivots(this.#context, this.#kernels.fixPivots, this.layout, ranges[0]!, columns);
      this.#pivotsFixed = true;
      if (ranges.length === 1) return;
    }
    const pending = ranges.slice(this.#counted);
    const largest = await this.#kernels.rangeCheck.fit(pending, this, () =>
      this.#joining.submit('the sums of kept rows'),
    );
    if (largest === undefined) return;
    this.#visible = this.#counted;
    try {
      // Pivots are float32 already, so the number of samples changes no sum; scales err on the safe side.
      const statistics = await this.read(1);
      await this.load(statistics, largest);
    } finally {
      this.#visible = Infinity;
    }
  }

  /** Ranges that may be added to sums. */
  get #ranges(): readonly RowRange[] {
    const { ranges } = this.#rows;
    return this.#visible < ranges.length ? ranges.slice(0, this.#visible) : ranges;
  }

  #dropProducts(): void {
    this.#xy?.destroy();
    this.#xx?.destroy();
    this.#onDemandProducts?.destroy();
    this.#xy = this.#xx = this.#onDemandProducts = undefined;
  }

  #productInputs(throttle: SubmitThrottle | undefined): ProductInputs {
    return { ranges: this.#ranges, columns: this, throttle };
  }

  async #onDemand(): Promise<OnDemandProducts> {
    return (this.#onDemandProducts ??= await OnDemandProducts.create(this.#context, this.#matmul));
  }

  /** Adds pending ranges to the column sums and to `matrices`; each range is centred once. */
  async #join(matrices: readonly Matrices[], throttle?: SubmitThrottle): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure as Error;
    const { pairs, pairsPerBuffer, panels } = this.layout;
    const ranges = this.#ranges;
    const recorder = this.#joining;
    const counted = this.#counted;
    const first = Math.min(counted, ...matrices.map(({ formed }) => formed));
    for (let firstPair = 0; firstPair < pairs; firstPair += pairsPerBuffer) {
      for (const [index, range] of ranges.entries()) {
        if (index < first) continue;
        this.#matmul.recordCentring(recorder, range, firstPair, this, index >= counted);
        for (const matrix of matrices) {
          if (index < matrix.formed) continue;
          const isXX = matrix === this.#xx;
          const [left, tiles] = isXX ? (['x', TILES.triangle] as const) : (['y', TILES.all] as const);
          for (const panel of panels) {
            const sums = matrix.ofGroup(firstPair, panel);
            this.#matmul.recordProducts(recorder, range, { sums, left, rows: panel, tiles });
          }
        }
      }
    }
    this.#counted = ranges.length;
    for (const matrix of matrices) matrix.formed = ranges.length;
    const what = 'the sums of kept rows';
    try {
      await (throttle === undefined ? recorder.submit(what) : recorder.submitThrottled(what, throttle));
    } catch (error) {
      // After an abort the rest stays recorded; after a failure nothing does, and those ranges are missing from the
      // sums.
      if (recorder.isEmpty) this.#failure = error;
      throw error;
    }
  }

  /** Copies rows of the stored X^T X. */
  async #gather(
    pair: number,
    list: Uint32Array<ArrayBuffer>,
    into: BufferView,
    throttle: SubmitThrottle | undefined,
  ): Promise<void> {
    this.#xx ??= await Matrices.create(this.#context, this.layout, 'X^T X');
    await this.#join([this.#xx], throttle);
    const { stride, panels } = this.layout;
    const lines = await created(this.#context, 'a list of lines', () =>
      storageFrom(this.#context, 'lines', list),
    );
    const recorder = new Recorder(this.#context);
    for (const panel of panels) {
      recorder.dispatch(
        this.#kernels.gather,
        {
          lines: list.length,
          stride,
          width: stride,
          panel_row: panel.row,
          panel_rows: panel.rows,
          whole: 0,
        },
        { lines, sum_xx: this.#xx.ofPair(pair, panel), gathered: into },
        workgroups(Math.ceil((list.length * stride) / WORKGROUP)),
      );
    }
    const submitted = recorder.submit('lines of X^T X');
    lines.destroy();
    await submitted;
  }
}
