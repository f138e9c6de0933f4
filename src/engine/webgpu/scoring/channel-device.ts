import { BufferPool, createStorage, storageFrom, type OwnedBuffer } from '../../../gpu/buffer.ts';
import type { GpuContext } from '../../../gpu/device.ts';
import { scoped } from '../../../gpu/error-scope.ts';
import { ranges } from '../../../gpu/ranges.ts';
import { Recorder } from '../../../gpu/recorder.ts';
import { checkArithmetic } from '../../../gpu/self-test.ts';
import type { SubmitThrottle } from '../../../gpu/submit-throttle.ts';
import { compileChannelKernels, TILE, type ChannelKernels } from './channel-kernels.ts';

/** A row-major matrix on the device, or some columns of it. */
export interface DeviceMatrix {
  readonly buffer: OwnedBuffer;
  /** First column within a row. Default 0. */
  readonly first?: number | undefined;
  /** Distance between rows, in elements */
  readonly stride: number;
}

/** A product A'B of two matrices, A B' or A (I + B). */
export interface Product {
  readonly a: DeviceMatrix;
  readonly b: DeviceMatrix;
  readonly out: DeviceMatrix;
  /** Rows of A and B, columns of A, columns of B */
  readonly sizes: readonly [depth: number, rows: number, columns: number];
  /** The product is symmetric */
  readonly symmetric?: boolean | undefined;
  /** A and B are lower triangular */
  readonly lower?: boolean | undefined;
  /** A B', for matrices with `depth` columns */
  readonly transposed?: boolean | undefined;
  /** A (I + B), for a symmetric A */
  readonly plusA?: boolean | undefined;
  /** Write sums as high and low words: two numbers each */
  readonly extended?: boolean | undefined;
}

/** A device with the kernels of channel regressions, and the throttle of one request's submits. */
export class ChannelDevice {
  readonly context: GpuContext;
  readonly kernels: ChannelKernels;
  readonly #throttle: SubmitThrottle;
  /** Pending validation of created buffers */
  readonly #unsettled: Promise<void>[] = [];

  private constructor(context: GpuContext, kernels: ChannelKernels, throttle: SubmitThrottle) {
    this.context = context;
    this.kernels = kernels;
    this.#throttle = throttle;
  }

  /** @throws `gpu-validation`, also for a device whose arithmetic fails the self-test; `device-lost` */
  static async create(context: GpuContext, throttle: SubmitThrottle): Promise<ChannelDevice> {
    await checkArithmetic(context);
    return new ChannelDevice(context, await compileChannelKernels(context), throttle);
  }

  /** Runs `work` with a pool of buffers that is destroyed afterwards. */
  async withBuffers<T>(work: (pool: BufferPool) => Promise<T>): Promise<T> {
    const pool = new BufferPool();
    try {
      return await work(pool);
    } finally {
      pool.destroy();
    }
  }

  /**
   * Creates a buffer of `elements` four-byte numbers. {@link ChannelDevice.run} throws the device's errors of it.
   *
   * @throws `out-of-memory`
   */
  createBuffer(pool: BufferPool, label: string, elements: number): OwnedBuffer {
    return this.#made(pool, label, () => createStorage(this.context, label, 4 * elements));
  }

  /** Creates a buffer with a copy of `data`. @throws as {@link ChannelDevice.createBuffer} */
  copy(
    pool: BufferPool,
    label: string,
    data: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>,
  ): OwnedBuffer {
    return this.#made(pool, label, () => storageFrom(this.context, label, data));
  }

  /** Validation is awaited for all buffers at once: a device takes milliseconds to report that there is no error. */
  #made(pool: BufferPool, label: string, make: () => OwnedBuffer): OwnedBuffer {
    const { result, settled } = scoped(this.context, label, make);
    settled.catch(() => {
      // Thrown by `run`.
    });
    this.#unsettled.push(settled);
    return pool.keep(result);
  }

  /**
   * Submits what `record` records, throttled by the request, once the device has validated all buffers.
   *
   * @throws the signal's reason, `out-of-memory`, `gpu-validation`, `device-lost`
   */
  async run(what: string, record: (recorder: Recorder) => void): Promise<void> {
    const recorder = new Recorder(this.context);
    record(recorder);
    await Promise.all(this.#unsettled.splice(0));
    await recorder.submitThrottled(what, this.#throttle);
  }

  /** Records a product, in dispatches that fit a submit. */
  multiply(recorder: Recorder, { a, b, out, sizes, ...kind }: Product): void {
    const [depth, rows, columns] = sizes;
    const flag = (value: boolean | undefined): number => (value === true ? 1 : 0);
    const perLine = 2 * depth * TILE * columns;
    for (const [first_line, end] of this.lines(rows, perLine)) {
      recorder.dispatch(
        this.kernels.products,
        {
          depth,
          rows,
          columns,
          a_first: a.first ?? 0,
          a_stride: a.stride,
          b_first: b.first ?? 0,
          b_stride: b.stride,
          out_stride: out.stride,
          first_line,
          symmetric: flag(kind.symmetric),
          lower: flag(kind.lower),
          transposed: flag(kind.transposed),
          plus_a: flag(kind.plusA),
          words: kind.extended === true ? 2 : 1,
          zero: 0,
        },
        { a: a.buffer, b: b.buffer, sums: out.buffer },
        [Math.ceil(columns / TILE), end - first_line, 1],
        (perLine * (end - first_line)) / (kind.symmetric === true ? 2 : 1),
      );
    }
  }

  /** Ranges of rows of tiles that fit a submit. @param operations per row of tiles */
  lines(rows: number, operations: number): Generator<readonly [first: number, end: number]> {
    return ranges(Math.ceil(rows / TILE), this.context.operationsPerSubmit / operations);
  }
}
