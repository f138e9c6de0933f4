import { borrow, BufferPool, createStorage, storageFrom, type OwnedBuffer } from '../../../gpu/buffer.ts';
import type { GpuContext } from '../../../gpu/device.ts';
import { created } from '../../../gpu/error-scope.ts';
import { compileKernel, type KernelOf } from '../../../gpu/kernel.ts';
import { readBack } from '../../../gpu/readback.ts';
import { Recorder, workgroups } from '../../../gpu/recorder.ts';
import type { Reduction } from '../../../statistics/channel-norms.ts';
import type { RaggedIndices } from '../../../statistics/ragged.ts';
import { magnitudesKernel, reductionCode, WORKGROUP } from './statistics-kernels.ts';
import { ROW_STEP } from './layout.ts';
import { NonFiniteFlag } from './non-finite-flag.ts';

const PIECE_BYTES = 64 * 2 ** 20;

/** How channel values are reduced to magnitudes. */
export interface MagnitudeSource {
  /** N */
  readonly nodes: number;
  /** C */
  readonly channels: number;
  /** Channels of each node: N lists */
  readonly channelGroups: RaggedIndices;
  readonly reduction: Reduction;
}

/** Reads the magnitudes of channel values on the GPU back to the host: N numbers per sample instead of the channels. */
export class MagnitudeReader {
  readonly #context: GpuContext;
  readonly #source: MagnitudeSource;
  readonly #kernel: KernelOf<typeof magnitudesKernel>;
  readonly #pool = new BufferPool();
  readonly #offsets: OwnedBuffer;
  readonly #channels: OwnedBuffer;
  readonly #refusal: NonFiniteFlag;
  readonly #pieceBytes: number;

  private constructor(
    context: GpuContext,
    source: MagnitudeSource,
    kernel: KernelOf<typeof magnitudesKernel>,
    pieceBytes: number,
    buffers: {
      readonly offsets: OwnedBuffer;
      readonly channels: OwnedBuffer;
      readonly refusal: NonFiniteFlag;
    },
  ) {
    this.#context = context;
    this.#source = source;
    this.#kernel = kernel;
    this.#pieceBytes = pieceBytes;
    this.#offsets = this.#pool.keep(buffers.offsets);
    this.#channels = this.#pool.keep(buffers.channels);
    this.#refusal = buffers.refusal;
    this.#pool.keep(this.#refusal.view);
  }

  /**
   * @param pieceBytes most bytes of magnitudes computed and read back at a time
   * @throws `gpu-validation`, `out-of-memory`, `device-lost`
   */
  static async create(
    context: GpuContext,
    source: MagnitudeSource,
    pieceBytes = PIECE_BYTES,
  ): Promise<MagnitudeReader> {
    const constants = { REDUCTION: reductionCode[source.reduction], WORKGROUP };
    const kernel = await compileKernel(context, magnitudesKernel, constants);
    const refusal = await NonFiniteFlag.create(context);
    const { offsets, indices } = source.channelGroups;
    const list = (label: string, values: Uint32Array): Promise<OwnedBuffer> =>
      created(context, label, () => storageFrom(context, label, Uint32Array.from(values)));
    const buffers = {
      offsets: await list('channel group offsets', offsets),
      channels: await list('channel group members', indices),
      refusal,
    };
    return new MagnitudeReader(context, source, kernel, pieceBytes, buffers);
  }

  /**
   * Non-finite values are returned unchanged; the engine that accumulates them refuses them.
   *
   * @param values buffers of the device, each row-major `[rows, channels]`; usage STORAGE
   * @returns `[rows, nodes]` for each buffer, owned by the caller
   * @throws `gpu-validation`, `out-of-memory`, `device-lost`
   */
  async read(values: readonly GPUBuffer[], rows: number): Promise<Float32Array[]> {
    const { nodes, channels } = this.#source;
    const read = values.map(() => new Float32Array(rows * nodes));
    const step = this.#rowsAtOnce(values.length);
    for (let first = 0; first < rows; first += step) {
      const end = Math.min(first + step, rows);
      const pieces = await this.#readPiece(
        values.map((buffer) => borrow(buffer, 4 * first * channels, 4 * (end - first) * channels)),
        end - first,
      );
      pieces.forEach((piece, quantity) => {
        read[quantity]!.set(piece, first * nodes);
      });
    }
    return read;
  }

  /** Frees its buffers. Idempotent. */
  destroy(): void {
    this.#pool.destroy();
  }

  async #readPiece(values: readonly ReturnType<typeof borrow>[], rows: number): Promise<Float32Array[]> {
    const { nodes, channels } = this.#source;
    const size = rows * nodes;
    const magnitudes = await created(this.#context, 'magnitudes', () =>
      createStorage(this.#context, 'magnitudes', 4 * values.length * size),
    );
    try {
      const recorder = new Recorder(this.#context);
      for (const [quantity, channel_values] of values.entries()) {
        recorder.dispatch(
          this.#kernel,
          {
            rows,
            channels,
            nodes,
            stride: nodes,
            batch: 0,
            quantity,
            first_row: 0,
            batch_row: 0,
            chunk_offset: quantity * size,
            zero: 0,
          },
          {
            channel_values,
            group_offsets: this.#offsets,
            group_channels: this.#channels,
            chunk: magnitudes,
            refusal: this.#refusal.view,
          },
          workgroups(Math.ceil(size / WORKGROUP)),
        );
      }
      await recorder.submit('the magnitudes to keep');
      const [bytes] = await readBack(this.#context, [magnitudes]);
      return values.map((_, quantity) => new Float32Array(bytes!, 4 * quantity * size, size));
    } finally {
      magnitudes.destroy();
    }
  }

  /** Rows whose channels can be bound, and whose magnitudes fit a piece; a multiple of {@link ROW_STEP}. */
  #rowsAtOnce(quantities: number): number {
    const { nodes, channels } = this.#source;
    const bound = this.#context.device.limits.maxStorageBufferBindingSize;
    const rows = Math.min(
      bound / (4 * channels),
      Math.min(bound, this.#pieceBytes) / (4 * nodes * quantities),
    );
    return Math.max(1, Math.floor(rows / ROW_STEP)) * ROW_STEP;
  }
}
