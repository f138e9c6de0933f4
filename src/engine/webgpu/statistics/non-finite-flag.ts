import type { MagnitudeEdgeError } from '../../../errors.ts';
import { createStorage, type OwnedBuffer } from '../../../gpu/buffer.ts';
import type { GpuContext } from '../../../gpu/device.ts';
import { created } from '../../../gpu/error-scope.ts';
import { readBack } from '../../../gpu/readback.ts';
import { nonFiniteError } from '../../../statistics/non-finite.ts';

/** Value of each word of the record while no batch is refused. */
const NONE = 0xffff_ffff;

/** Words of `Refusal` in shaders/shared/refusal.wgsl: batch, place, row. */
const WORDS = 3;

/** The GPU's record of the first batch with a non-finite value; kernels read it and stop counting there. */
export class NonFiniteFlag {
  readonly view: OwnedBuffer;
  readonly #context: GpuContext;

  private constructor(context: GpuContext) {
    this.#context = context;
    this.view = createStorage(context, 'refusal', 4 * WORDS);
    this.clear();
  }

  /** @throws `gpu-validation`, `out-of-memory`, `device-lost` */
  static create(context: GpuContext): Promise<NonFiniteFlag> {
    return created(context, 'the record of a refusal', () => new NonFiniteFlag(context));
  }

  /** Idempotent. */
  destroy(): void {
    this.view.destroy();
  }

  /** Clears the record for work submitted from now on. */
  clear(): void {
    this.#context.device.queue.writeBuffer(this.view.buffer, 0, new Uint32Array(WORDS).fill(NONE));
  }

  /** Reads the record after all submitted work: the error of the refused batch, if there is one. */
  async read(nodes: number): Promise<{ batch: number; error: MagnitudeEdgeError } | undefined> {
    const [bytes] = await readBack(this.#context, [{ ...this.view, size: 4 * WORDS }]);
    const [batch, place] = new Uint32Array(bytes!) as unknown as [number, number];
    if (batch === NONE) return undefined;
    const quantity = Math.floor(place / nodes);
    const isGradient = quantity % 2 === 1;
    const error = nonFiniteError({
      batch,
      quantity: isGradient ? 'gradient' : 'activation',
      layer: Math.floor(quantity / 2) + (isGradient ? 1 : 0),
      node: place % nodes,
    });
    return { batch, error };
  }
}
