import { borrow, BufferPool, createStorage, storageFrom, type OwnedBuffer } from '../gpu/buffer.ts';
import type { GpuContext } from '../gpu/device.ts';
import { compileKernel, type KernelOf } from '../gpu/kernel.ts';
import { Recorder, workgroups } from '../gpu/recorder.ts';
import type { Reduction } from './channel-norms.ts';
import { raggedFromLists, type RaggedIndices } from './ragged.ts';
import { magnitudesKernel, reductionCode, WORKGROUP } from './webgpu-kernels.ts';
import { ROW_STEP, type StatisticsLayout } from './webgpu-layout.ts';
import type { RefusalRecord } from './webgpu-refusal.ts';

/** How values become magnitudes: a kernel with the channels of each node. */
interface Source {
  readonly kernel: KernelOf<typeof magnitudesKernel>;
  readonly width: number;
  readonly offsets: OwnedBuffer;
  readonly channels: OwnedBuffer;
}

/** Rows of one quantity of a batch, and where they go. */
export interface StagedRows {
  /** Row-major `[size, width]`: the whole batch, on the host or on the GPU */
  readonly values: Float32Array | GPUBuffer;
  readonly quantity: number;
  readonly batch: number;
  /** First row of the batch to take, and how many */
  readonly from: number;
  readonly rows: number;
  /** Row of the stage for the first of them, and for the first row of the batch in the stage */
  readonly to: number;
  readonly batchRow: number;
}

/**
 * Where magnitudes wait on the GPU until many samples can join the sums at once: `[2 P quantities, rows, stride]`.
 * Refuses batches with values that are not finite as they come in.
 */
export class Stage {
  readonly view: OwnedBuffer;
  readonly layout: StatisticsLayout;
  readonly #context: GpuContext;
  readonly #pool: BufferPool;
  readonly #refusal: RefusalRecord;
  readonly #magnitudes: Source;
  readonly #channels: Source | undefined;
  #upload: OwnedBuffer | undefined;

  private constructor(
    context: GpuContext,
    layout: StatisticsLayout,
    refusal: RefusalRecord,
    pool: BufferPool,
    sources: { magnitudes: Source; channels: Source | undefined },
  ) {
    this.#context = context;
    this.layout = layout;
    this.#refusal = refusal;
    this.#pool = pool;
    this.#magnitudes = sources.magnitudes;
    this.#channels = sources.channels;
    const { pairs, stageRows, stride } = layout;
    this.view = pool.keep(createStorage(context, 'stage', 4 * 2 * pairs * stageRows * stride));
  }

  /** @throws `gpu-validation`, `out-of-memory`, `device-lost` */
  static async create(
    context: GpuContext,
    layout: StatisticsLayout,
    refusal: RefusalRecord,
    channels?: { readonly count: number; readonly groups: RaggedIndices; readonly reduction: Reduction },
  ): Promise<Stage> {
    const pool = new BufferPool();
    try {
      const themselves = raggedFromLists(Array.from({ length: layout.nodes }, (_, node) => [node]));
      return new Stage(context, layout, refusal, pool, {
        magnitudes: await createSource(context, pool, 'none', layout.nodes, themselves),
        channels:
          channels &&
          (await createSource(context, pool, channels.reduction, channels.count, channels.groups)),
      });
    } catch (error) {
      pool.destroy();
      throw error;
    }
  }

  /**
   * Writes the magnitudes of some rows of channel values, or (`asTheyAre`) rows of magnitudes, to the stage. Host
   * values have been copied, and GPU values may be released, when the call returns.
   *
   * @returns settles with what the GPU found wrong with the commands
   */
  write(staged: StagedRows, asTheyAre: boolean): Promise<void> {
    const source = asTheyAre ? this.#magnitudes : this.#channels;
    if (source === undefined) throw new TypeError('A stage made without channels takes magnitudes only.');
    const { stride, nodes, stageRows } = this.layout;
    const { values, rows, quantity } = staged;
    const recorder = new Recorder(this.#context);
    const bytes = 4 * source.width;
    recorder.dispatch(
      source.kernel,
      {
        rows,
        channels: source.width,
        nodes,
        stride,
        batch: staged.batch,
        quantity,
        first_row: staged.to,
        batch_row: staged.batchRow,
        stage_offset: quantity * stageRows * stride,
        zero: 0,
      },
      {
        channel_values:
          values instanceof Float32Array
            ? this.#uploaded(values, staged.from * source.width, rows * source.width)
            : borrow(values, staged.from * bytes, rows * bytes),
        group_offsets: source.offsets,
        group_channels: source.channels,
        stage: this.view,
        refusal: this.#refusal.view,
      },
      workgroups(Math.ceil((rows * stride) / WORKGROUP)),
    );
    return recorder.submit('the magnitudes of a batch');
  }

  /** Most rows of a batch that one call of {@link Stage.write} can take; a multiple of {@link ROW_STEP}. */
  rowsPerWrite(asTheyAre: boolean): number {
    const width = (asTheyAre ? this.#magnitudes : this.#channels)?.width ?? 1;
    const bound = this.#context.device.limits.maxStorageBufferBindingSize / (4 * width * ROW_STEP);
    return Math.min(this.layout.stageRows, Math.max(1, Math.floor(bound)) * ROW_STEP);
  }

  /** Frees the stage. Idempotent. */
  destroy(): void {
    this.#pool.destroy();
    this.#upload?.destroy();
  }

  /** Copies host values to the GPU; writes and submits keep their order, so one buffer serves them all. */
  #uploaded(values: Float32Array, from: number, count: number): OwnedBuffer {
    if (this.#upload === undefined || this.#upload.size < 4 * count) {
      this.#upload?.destroy();
      this.#upload = createStorage(this.#context, 'channel values', 4 * count);
    }
    const { queue } = this.#context.device;
    queue.writeBuffer(this.#upload.buffer, 0, values as Float32Array<ArrayBuffer>, from, count);
    return this.#upload;
  }
}

async function createSource(
  context: GpuContext,
  pool: BufferPool,
  reduction: keyof typeof reductionCode,
  width: number,
  groups: RaggedIndices,
): Promise<Source> {
  const constants = { REDUCTION: reductionCode[reduction], WORKGROUP };
  return {
    kernel: await compileKernel(context, magnitudesKernel, constants),
    width,
    offsets: pool.keep(storageFrom(context, 'channel group offsets', Uint32Array.from(groups.offsets))),
    channels: pool.keep(storageFrom(context, 'channel group members', Uint32Array.from(groups.indices))),
  };
}
