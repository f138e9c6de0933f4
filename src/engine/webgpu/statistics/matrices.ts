import { BufferPool, createStorage, type BufferView, type OwnedBuffer } from '../../../gpu/buffer.ts';
import type { GpuContext } from '../../../gpu/device.ts';
import { created } from '../../../gpu/error-scope.ts';
import type { Panel, StatisticsLayout } from './layout.ts';

/**
 * One matrix of sums per layer pair, laid out as in shaders/shared/sums.wgsl. The matrices of all pairs share a buffer
 * if the layout says so; otherwise each has one buffer per panel.
 */
export class Matrices {
  /** Number of ranges of stored rows added to the sums */
  formed = 0;
  readonly #layout: StatisticsLayout;
  readonly #pool = new BufferPool();
  /** `[pairs / pairsPerBuffer, panels]` */
  readonly #buffers: readonly (readonly OwnedBuffer[])[];

  private constructor(context: GpuContext, layout: StatisticsLayout, label: string) {
    this.#layout = layout;
    const { pairs, pairsPerBuffer, stride, panels } = layout;
    this.#buffers = Array.from({ length: pairs / pairsPerBuffer }, (_, group) =>
      panels.map(({ rows }) =>
        this.#pool.keep(
          createStorage(context, `${label} of layer pair ${group}`, 8 * rows * stride * pairsPerBuffer),
        ),
      ),
    );
  }

  /** Creates matrices of zeros. @throws `out-of-memory`, `device-lost` */
  static async create(context: GpuContext, layout: StatisticsLayout, label: string): Promise<Matrices> {
    return created(context, label, () => new Matrices(context, layout, label));
  }

  /** A panel's rows of the matrices that share a buffer with that of `firstPair`, one after the other. */
  ofGroup(firstPair: number, { index }: Panel): BufferView {
    return this.#buffers[firstPair / this.#layout.pairsPerBuffer]![index]!;
  }

  /** A panel's rows of one pair's matrix. */
  ofPair(pair: number, { index, rows }: Panel): BufferView {
    const { pairsPerBuffer, stride } = this.#layout;
    const { buffer } = this.#buffers[Math.floor(pair / pairsPerBuffer)]![index]!;
    const size = 8 * rows * stride;
    return { buffer, offset: (pair % pairsPerBuffer) * size, size };
  }

  /** Frees the matrices. Idempotent. */
  destroy(): void {
    this.#pool.destroy();
  }
}
