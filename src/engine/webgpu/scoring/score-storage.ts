import { BufferPool, createStorage, type OwnedBuffer } from '../../../gpu/buffer.ts';
import type { GpuContext } from '../../../gpu/device.ts';
import { created, scoped } from '../../../gpu/error-scope.ts';
import { ReferenceCount } from '../../reference-count.ts';
import type { Panel, StatisticsLayout } from '../statistics/layout.ts';

/** The buffers of score matrices, reference counted: the last user's release destroys them. */
export class ScoreStorage {
  readonly nodes: number;
  readonly panels: readonly Panel[];
  /** One buffer per panel */
  readonly aggregated: readonly OwnedBuffer[];
  /** For each layer pair, one buffer per panel */
  readonly perPair: readonly (readonly OwnedBuffer[])[];
  readonly context: GpuContext;
  readonly bytes: number;
  /** `[N]`, see {@link NODE_FLAG} */
  nodeFlags: Uint8Array;
  readonly #pool = new BufferPool();
  readonly #uses = new ReferenceCount(() => {
    this.destroy();
  });

  private constructor(context: GpuContext, { nodes, pairs, panels }: StatisticsLayout) {
    this.context = context;
    this.nodes = nodes;
    this.nodeFlags = new Uint8Array(nodes);
    this.panels = panels;
    const matrix = (label: string): OwnedBuffer[] =>
      panels.map(({ rows }) => this.#pool.keep(createStorage(context, label, 4 * rows * nodes)));
    this.aggregated = matrix('aggregated scores');
    this.perPair = Array.from({ length: pairs }, (_, p) => matrix(`scores of layer pair ${p}`));
    this.bytes = [this.aggregated, ...this.perPair].flat().reduce((sum, { size }) => sum + size, 0);
  }

  /**
   * Allocates storage for the kernels to write scores to; the caller must release it.
   *
   * @throws `out-of-memory`, `device-lost`
   */
  static async create(context: GpuContext, layout: StatisticsLayout): Promise<ScoreStorage> {
    return created(context, 'the scores', () => new ScoreStorage(context, layout));
  }

  get users(): number {
    return this.#uses.users;
  }

  retain(): this {
    this.#uses.retain();
    return this;
  }

  release(): void {
    this.#uses.release();
  }

  /** Frees the buffers, even if they have users. Idempotent. */
  destroy(): void {
    this.#pool.destroy();
  }

  /** Copies all scores of another storage of the same layout. */
  copyFrom(other: ScoreStorage): Promise<void> {
    const { device } = this.context;
    this.nodeFlags = other.nodeFlags;
    return scoped(this.context, 'the scores', () => {
      const encoder = device.createCommandEncoder({ label: 'copy of scores' });
      [this.aggregated, ...this.perPair].flat().forEach(({ buffer, size }, at) => {
        const from = [other.aggregated, ...other.perPair].flat()[at]!;
        encoder.copyBufferToBuffer(from.buffer, 0, buffer, 0, size);
      });
      device.queue.submit([encoder.finish()]);
    }).settled;
  }

  /**
   * Overwrites the scores of a target in one layer pair, after the commands submitted so far.
   *
   * @param scores `[N]`, one per source
   */
  writeTarget(pair: number, target: number, scores: Float32Array<ArrayBuffer>): void {
    const panel = this.panels[Math.floor(target / this.panels[0]!.rows)]!;
    const { buffer } = this.perPair[pair]![panel.index]!;
    this.context.device.queue.writeBuffer(buffer, 4 * this.nodes * (target - panel.row), scores);
  }
}
