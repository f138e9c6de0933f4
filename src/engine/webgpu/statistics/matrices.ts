import { BufferPool, createStorage, type BufferView, type OwnedBuffer } from '../../../gpu/buffer.ts';
import type { GpuContext } from '../../../gpu/device.ts';
import { created } from '../../../gpu/error-scope.ts';
import type { Panel, StatisticsLayout } from './layout.ts';

/**
 * One matrix of sums for each layer pair, laid out as shaders/shared/sums.wgsl says. The matrices of all pairs share a
 * buffer where the layout has them together; elsewhere each has a buffer for each of its panels.
 */
export class Matrices {
  /** How many ranges of kept rows have joined the sums */
  formed = 0;
  readonly #layout: StatisticsLayout;
  readonly #pool = new BufferPool();
  /** `[pairs / together, panels]` */
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

  /** Makes matrices of zeros. @throws `out-of-memory`, `device-lost` */
  static async create(context: GpuContext, layout: StatisticsLayout, label: string): Promise<Matrices> {
    return created(context, label, () => new Matrices(context, layout, label));
  }

  /** The matrices of the pairs that lie with `firstPair`, one after the other: of each the rows of a panel. */
  ofGroup(firstPair: number, { index }: Panel): BufferView {
    return this.#buffers[firstPair / this.#layout.pairsPerBuffer]![index]!;
  }

  /** Rows of one pair's matrix: those of a panel. */
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
