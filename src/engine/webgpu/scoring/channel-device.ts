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
  /** Where it begins in a row. Default 0. */
  readonly first?: number | undefined;
  /** From one row to the next */
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
  /** Nothing of A or B is above its diagonal */
  readonly lower?: boolean | undefined;
  /** A B', of matrices with `depth` columns */
  readonly transposed?: boolean | undefined;
  /** A (I + B), of a symmetric A */
  readonly plusA?: boolean | undefined;
  /** The sums as high and low words: two numbers for each */
  readonly extended?: boolean | undefined;
}

/** A device with the kernels of channel regressions, and the pace of one request's submits. */
export class ChannelDevice {
  readonly context: GpuContext;
  readonly kernels: ChannelKernels;
  readonly #throttle: SubmitThrottle;
  /** What the device will find of buffers that have been made */
  readonly #unsettled: Promise<void>[] = [];

  private constructor(context: GpuContext, kernels: ChannelKernels, throttle: SubmitThrottle) {
    this.context = context;
    this.kernels = kernels;
    this.#throttle = throttle;
  }

  /** @throws `gpu-validation`, for a device whose arithmetic fails the self-test as well; `device-lost` */
  static async create(context: GpuContext, throttle: SubmitThrottle): Promise<ChannelDevice> {
    await checkArithmetic(context);
    return new ChannelDevice(context, await compileChannelKernels(context), throttle);
  }

  /** Works with buffers of its own, which are gone afterwards. */
  async withBuffers<T>(work: (pool: BufferPool) => Promise<T>): Promise<T> {
    const pool = new BufferPool();
    try {
      return await work(pool);
    } finally {
      pool.destroy();
    }
  }

  /** A buffer of so many numbers. What the device finds wrong with it, {@link ChannelDevice.run} throws. @throws `out-of-memory` */
  room(pool: BufferPool, label: string, elements: number): OwnedBuffer {
    return this.#made(pool, label, () => createStorage(this.context, label, 4 * elements));
  }

  /** A buffer with a copy of numbers. @throws as {@link ChannelDevice.room} */
  copy(
    pool: BufferPool,
    label: string,
    data: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>,
  ): OwnedBuffer {
    return this.#made(pool, label, () => storageFrom(this.context, label, data));
  }

  /** All at once are waited for: a device takes milliseconds to say that it has found nothing. */
  #made(pool: BufferPool, label: string, make: () => OwnedBuffer): OwnedBuffer {
    const { result, settled } = scoped(this.context, label, make);
    settled.catch(() => {
      // Thrown by `run`.
    });
    this.#unsettled.push(settled);
    return pool.keep(result);
  }

  /**
   * Does what is recorded, by the pace of the request, once the device has made all buffers.
   *
   * @throws the signal's reason, `out-of-memory`, `gpu-validation`, `device-lost`
   */
  async run(what: string, record: (recorder: Recorder) => void): Promise<void> {
    const recorder = new Recorder(this.context);
    record(recorder);
    await Promise.all(this.#unsettled.splice(0));
    await recorder.submitPaced(what, this.#throttle);
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

  /** Rows of tiles that fit a submit. @param operations of one of them */
  lines(rows: number, operations: number): Generator<readonly [first: number, end: number]> {
    return ranges(Math.ceil(rows / TILE), this.context.operationsPerSubmit / operations);
  }
}
