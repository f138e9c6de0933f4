import { BufferPool, createStorage, storageFrom, type BufferView, type OwnedBuffer } from '../gpu/buffer.ts';
import type { GpuContext } from '../gpu/device.ts';
import { scoped } from '../gpu/error-scope.ts';
import { compileKernel, type KernelOf } from '../gpu/kernel.ts';
import { readBack } from '../gpu/readback.ts';
import { Recorder, workgroups } from '../gpu/recorder.ts';
import type { PairStatistics, SufficientStatistics } from './sufficient-statistics.ts';
import { DIAGONAL, gatherSumsKernel, pivotsKernel, WORKGROUP, type Precision } from './webgpu-kernels.ts';
import type { Panel, StatisticsLayout } from './webgpu-layout.ts';
import { createProducts, type RecordProducts, type WaitingRows } from './webgpu-products.ts';
import type { RefusalRecord } from './webgpu-refusal.ts';
import type { SumSource } from './webgpu-sum-source.ts';
import { packPair, unpackPair } from './webgpu-transfer.ts';

interface Kernels {
  readonly fixPivots: KernelOf<typeof pivotsKernel>;
  readonly gather: KernelOf<typeof gatherSumsKernel>;
  readonly recordProducts: RecordProducts;
}

/**
 * Sufficient statistics on the GPU: sums about float32 pivots, scaled by powers of two, as (high, low) pairs of
 * float32. Pivots and scales are fixed by the first rows that are applied.
 */
export class GpuSums implements SumSource {
  readonly layout: StatisticsLayout;
  readonly pivots: OwnedBuffer;
  readonly columnSums: OwnedBuffer;
  /** A buffer per panel for each of the P pairs, laid out as shaders/shared/sums.wgsl says */
  readonly #sumXY: readonly (readonly OwnedBuffer[])[];
  /** Likewise; tiles on and above the diagonal */
  readonly #sumXX: readonly (readonly OwnedBuffer[])[];
  readonly #context: GpuContext;
  readonly #pool: BufferPool;
  readonly #refusal: RefusalRecord;
  readonly #kernels: Kernels;
  #pivotsFixed = false;

  private constructor(
    context: GpuContext,
    layout: StatisticsLayout,
    refusal: RefusalRecord,
    pool: BufferPool,
    kernels: Kernels,
  ) {
    this.#context = context;
    this.#refusal = refusal;
    this.#pool = pool;
    this.#kernels = kernels;
    this.layout = layout;
    const { pairs, stride } = layout;
    const create = (label: string, bytes: number): OwnedBuffer =>
      pool.keep(createStorage(context, label, bytes));
    const matrices = (label: string): OwnedBuffer[][] =>
      Array.from({ length: pairs }, (_, p) =>
        layout.panels.map(({ rows }) => create(`${label} of layer pair ${p}`, 8 * rows * stride)),
      );
    this.pivots = create('pivots', 8 * 2 * pairs * stride);
    this.columnSums = create('column sums', 16 * 2 * pairs * stride);
    this.#sumXY = matrices('X^T Y');
    this.#sumXX = matrices('X^T X');
  }

  /** @throws `gpu-validation`, `out-of-memory`, `device-lost` */
  static async create(
    context: GpuContext,
    layout: StatisticsLayout,
    refusal: RefusalRecord,
    precision: Precision,
  ): Promise<GpuSums> {
    const pool = new BufferPool();
    try {
      const [fixPivots, gather, recordProducts] = await Promise.all([
        compileKernel(context, pivotsKernel, { WORKGROUP }),
        compileKernel(context, gatherSumsKernel, { WORKGROUP }),
        createProducts(context, layout, precision, pool),
      ]);
      const kernels = { fixPivots, gather, recordProducts };
      const made = scoped(context, 'the sums', () => new GpuSums(context, layout, refusal, pool, kernels));
      await made.settled;
      return made.result;
    } catch (error) {
      pool.destroy();
      throw error;
    }
  }

  /**
   * Adds the rows that wait in the stage, up to the first refused batch. The first rows applied fix the pivots.
   *
   * @returns settles with what the GPU found wrong with the commands
   */
  apply(waiting: WaitingRows): Promise<void> {
    const { pairs, stride, stageRows } = this.layout;
    const { stage, rows, firstBatch } = waiting;
    const refusal = this.#refusal.view;
    const recorder = new Recorder(this.#context);
    if (!this.#pivotsFixed) {
      this.#pivotsFixed = true;
      recorder.dispatch(
        this.#kernels.fixPivots,
        { rows, stride, first_batch: firstBatch, stage_rows: stageRows, zero: 0 },
        { stage, refusal, pivots: this.pivots },
        [Math.ceil(stride / WORKGROUP), 1, 2 * pairs],
      );
    }
    const { pivots, columnSums } = this;
    const sums = { pivots, columnSums, sumXY: this.#sumXY, sumXX: this.#sumXX };
    this.#kernels.recordProducts(recorder, waiting, sums, refusal);
    return recorder.submit('the sums of a batch');
  }

  sumXY(pair: number, { index }: Panel): Promise<BufferView> {
    return Promise.resolve(this.#sumXY[pair]![index]!);
  }

  diagonalXX(pair: number, into: BufferView): Promise<void> {
    return this.linesXX(pair, Uint32Array.of(DIAGONAL), into);
  }

  linesXX(pair: number, sources: Uint32Array<ArrayBuffer>, into: BufferView): Promise<void> {
    const { stride, panels } = this.layout;
    const count = sources.length;
    if (count === 0) return Promise.resolve();
    const lines = storageFrom(this.#context, 'lines', sources);
    const recorder = new Recorder(this.#context);
    for (const { index, row, rows } of panels) {
      recorder.dispatch(
        this.#kernels.gather,
        { lines: count, stride, panel_row: row, panel_rows: rows },
        { lines, sum_xx: this.#sumXX[pair]![index]!, gathered: into },
        workgroups(Math.ceil((count * stride) / WORKGROUP)),
      );
    }
    const submitted = recorder.submit('lines of X^T X');
    lines.destroy();
    return submitted;
  }

  /** Copies the statistics to the host, one layer pair at a time. `samples` is what the caller knows to be applied. */
  async read(samples: number): Promise<SufficientStatistics> {
    const pairs: PairStatistics[] = [];
    for (let p = 0; p < this.layout.pairs; p++) pairs.push(await this.readPair(p));
    return { nodes: this.layout.nodes, samples, pairs };
  }

  /** Copies the statistics of one layer pair to the host. */
  async readPair(p: number): Promise<PairStatistics> {
    const views = [this.pivots, this.columnSums, ...this.#sumXY[p]!, ...this.#sumXX[p]!];
    const bytes = await readBack(this.#context, views);
    const [pivots, columnSums, ...matrices] = bytes.map((words) => new Float32Array(words));
    return unpackPair(
      this.layout,
      p,
      { pivots: pivots!, columnSums: columnSums! },
      { sumXY: matrices.slice(0, this.#sumXY[p]!.length), sumXX: matrices.slice(this.#sumXY[p]!.length) },
    );
  }

  /** Replaces the sums by those of the host. Their pivots are kept, rounded to float32. */
  load(statistics: SufficientStatistics): void {
    const { queue } = this.#context.device;
    const { pairs, stride } = this.layout;
    const pivots = new Float32Array(2 * pairs * 2 * stride);
    const columnSums = new Float32Array(4 * pairs * 2 * stride);
    statistics.pairs.forEach((pair, p) => {
      const { sumXY, sumXX } = packPair(this.layout, p, pair, statistics.samples, { pivots, columnSums });
      sumXY.forEach((panel, q) => {
        queue.writeBuffer(this.#sumXY[p]![q]!.buffer, 0, panel);
        queue.writeBuffer(this.#sumXX[p]![q]!.buffer, 0, sumXX[q]!);
      });
    });
    queue.writeBuffer(this.pivots.buffer, 0, pivots);
    queue.writeBuffer(this.columnSums.buffer, 0, columnSums);
    this.#pivotsFixed = statistics.samples > 0;
  }

  /** Forgets all sums and the pivots. */
  clear(): void {
    const encoder = this.#context.device.createCommandEncoder({ label: 'reset' });
    for (const { buffer } of [this.columnSums, ...this.#sumXY.flat(), ...this.#sumXX.flat()])
      encoder.clearBuffer(buffer);
    this.#context.device.queue.submit([encoder.finish()]);
    this.#pivotsFixed = false;
  }

  /** Frees the sums. Idempotent. */
  destroy(): void {
    this.#pool.destroy();
  }
}
