import { allSettledOrThrow } from '../../../all-settled-or-throw.ts';
import {
  borrow,
  BufferPool,
  createStorage,
  storageFrom,
  type BufferView,
  type OwnedBuffer,
} from '../../../gpu/buffer.ts';
import type { GpuContext } from '../../../gpu/device.ts';
import { created, scoped } from '../../../gpu/error-scope.ts';
import { compileKernel, type KernelOf } from '../../../gpu/kernel.ts';
import { Recorder, workgroups } from '../../../gpu/recorder.ts';
import type { Reduction } from '../../../statistics/channel-norms.ts';
import { raggedFromLists, type RaggedIndices } from '../../../statistics/ragged.ts';
import { magnitudesKernel, reductionCode, WORKGROUP } from './statistics-kernels.ts';
import type { Chunk } from './gpu-row-store.ts';
import { ROW_STEP, type StatisticsLayout } from './layout.ts';
import type { NonFiniteFlag } from './non-finite-flag.ts';

/** How values are reduced to magnitudes: a kernel and the channels of each node. */
interface Source {
  readonly kernel: KernelOf<typeof magnitudesKernel>;
  readonly width: number;
  readonly offsets: OwnedBuffer;
  readonly channels: OwnedBuffer;
}

/** Rows of a batch, and their destination. */
export interface IncomingRows {
  /** One array or buffer per quantity, row-major `[size, width]`: the whole batch */
  readonly values: readonly (Float32Array | GPUBuffer)[];
  readonly batch: number;
  /** First row of the batch to upload, and the number of rows */
  readonly from: number;
  readonly rows: number;
  /** Destination chunk, and its row for the first of them */
  readonly chunk: Chunk;
  readonly to: number;
  /** First row of the batch in the chunk */
  readonly batchRow: number;
}

/** Most bytes of host values uploaded at a time. */
const UPLOAD_BYTES = 128 * 2 ** 20;

/**
 * Uploads batches: reduces channel values to magnitudes in the stored rows, and refuses batches with non-finite values.
 */
export class BatchUploader {
  readonly layout: StatisticsLayout;
  readonly #context: GpuContext;
  readonly #pool: BufferPool;
  readonly #refusal: NonFiniteFlag;
  readonly #magnitudes: Source;
  readonly #channels: Source | undefined;
  #upload: OwnedBuffer | undefined;

  private constructor(
    context: GpuContext,
    layout: StatisticsLayout,
    refusal: NonFiniteFlag,
    pool: BufferPool,
    sources: { magnitudes: Source; channels: Source | undefined },
  ) {
    this.#context = context;
    this.layout = layout;
    this.#refusal = refusal;
    this.#pool = pool;
    this.#magnitudes = sources.magnitudes;
    this.#channels = sources.channels;
  }

  /** @throws `gpu-validation`, `out-of-memory`, `device-lost` */
  static async create(
    context: GpuContext,
    layout: StatisticsLayout,
    refusal: NonFiniteFlag,
    channels?: { readonly count: number; readonly groups: RaggedIndices; readonly reduction: Reduction },
  ): Promise<BatchUploader> {
    const pool = new BufferPool();
    try {
      const eachNode = raggedFromLists(Array.from({ length: layout.nodes }, (_, node) => [node]));
      const sources = {
        magnitudes: await createSource(context, pool, 'none', layout.nodes, eachNode),
        channels:
          channels &&
          (await createSource(context, pool, channels.reduction, channels.count, channels.groups)),
      };
      const made = scoped(
        context,
        'the intake',
        () => new BatchUploader(context, layout, refusal, pool, sources),
      );
      await made.settled;
      return made.result;
    } catch (error) {
      pool.destroy();
      throw error;
    }
  }

  /**
   * Writes the magnitudes of some rows of channel values, or (`areMagnitudes`) rows of magnitudes, to the stored rows, all
   * quantities in one submit. When the call returns, host values have been copied and GPU values may be released.
   *
   * @returns rejects with the GPU's errors of the commands
   */
  write(
    { values, batch, from, rows, chunk, to, batchRow }: IncomingRows,
    areMagnitudes: boolean,
  ): Promise<void> {
    const source = areMagnitudes ? this.#magnitudes : this.#channels;
    if (source === undefined) throw new TypeError('An intake made without channels takes magnitudes only.');
    const { stride, nodes, chunkRows, pairsPerBuffer } = this.layout;
    const bytes = 4 * source.width;
    const { result: upload, settled } = scoped(this.#context, 'the upload of a batch', () =>
      this.#uploader(values, rows * bytes),
    );
    const recorder = new Recorder(this.#context);
    for (const [quantity, value] of values.entries()) {
      recorder.dispatch(
        source.kernel,
        {
          rows,
          channels: source.width,
          nodes,
          stride,
          batch,
          quantity,
          first_row: to,
          batch_row: batchRow,
          chunk_offset: (quantity % (2 * pairsPerBuffer)) * chunkRows * stride,
          zero: 0,
        },
        {
          channel_values:
            value instanceof Float32Array
              ? upload(value, from * source.width, rows * source.width)
              : borrow(value, from * bytes, rows * bytes),
          group_offsets: source.offsets,
          group_channels: source.channels,
          chunk: chunk[Math.floor(quantity / (2 * pairsPerBuffer))]!,
          refusal: this.#refusal.view,
        },
        workgroups(Math.ceil((rows * stride) / WORKGROUP)),
      );
    }
    return allSettledOrThrow([settled, recorder.submit('the magnitudes of a batch')]).then(() => undefined);
  }

  /** Most rows of a batch that one call of {@link BatchUploader.write} can take; a multiple of {@link ROW_STEP}. */
  rowsPerWrite(areMagnitudes: boolean): number {
    const width = (areMagnitudes ? this.#magnitudes : this.#channels)?.width ?? 1;
    const { pairs, chunkRows } = this.layout;
    const bound = this.#context.device.limits.maxStorageBufferBindingSize;
    const steps = Math.floor(Math.min(bound, UPLOAD_BYTES / (2 * pairs)) / (4 * width * ROW_STEP));
    return Math.min(chunkRows, Math.max(1, steps) * ROW_STEP);
  }

  /** Frees its buffers. Idempotent. */
  destroy(): void {
    this.#pool.destroy();
    this.#upload?.destroy();
  }

  /**
   * Allocates space for the host values among `values`, and returns a function that copies them there one by one.
   * Writes and submits keep their order, so one buffer serves all batches.
   */
  #uploader(
    values: readonly (Float32Array | GPUBuffer)[],
    bytes: number,
  ): (value: Float32Array, from: number, count: number) => BufferView {
    const alignment = this.#context.device.limits.minStorageBufferOffsetAlignment;
    const step = Math.ceil(bytes / alignment) * alignment;
    const needed = step * values.filter((value) => value instanceof Float32Array).length;
    if (needed > (this.#upload?.size ?? 0)) {
      this.#upload?.destroy();
      this.#upload = createStorage(this.#context, 'channel values', needed);
    }
    let offset = -step;
    return (value, from, count) => {
      const { buffer } = this.#upload!;
      offset += step;
      this.#context.device.queue.writeBuffer(buffer, offset, value as Float32Array<ArrayBuffer>, from, count);
      return borrow(buffer, offset, bytes);
    };
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
  const list = async (label: string, indices: Uint32Array): Promise<OwnedBuffer> =>
    pool.keep(await created(context, label, () => storageFrom(context, label, Uint32Array.from(indices))));
  return {
    kernel: await compileKernel(context, magnitudesKernel, constants),
    width,
    offsets: await list('channel group offsets', groups.offsets),
    channels: await list('channel group members', groups.indices),
  };
}
