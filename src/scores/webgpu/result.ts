import { BufferPool, createStorage, type OwnedBuffer } from '../../gpu/buffer.ts';
import { assertAlive, type GpuContext } from '../../gpu/device.ts';
import { created, scoped } from '../../gpu/error-scope.ts';
import { readBack } from '../../gpu/readback.ts';
import type { Panel, StatisticsLayout } from '../../statistics/webgpu/layout.ts';
import { scoresReleased } from '../host-scores.ts';
import type { ScoreMatrices } from '../score-matrices.ts';
import type { ScoreBuffers, Scores } from '../scores.ts';

/** The buffers of score matrices, which go when nobody uses them any more. */
export class ScoreStorage {
  readonly nodes: number;
  readonly panels: readonly Panel[];
  /** A buffer per panel */
  readonly aggregated: readonly OwnedBuffer[];
  /** For each layer pair a buffer per panel */
  readonly perPair: readonly (readonly OwnedBuffer[])[];
  readonly context: GpuContext;
  readonly bytes: number;
  readonly #pool = new BufferPool();
  #users = 0;

  private constructor(context: GpuContext, { nodes, pairs, panels }: StatisticsLayout) {
    this.context = context;
    this.nodes = nodes;
    this.panels = panels;
    const matrix = (label: string): OwnedBuffer[] =>
      panels.map(({ rows }) => this.#pool.keep(createStorage(context, label, 4 * rows * nodes)));
    this.aggregated = matrix('aggregated scores');
    this.perPair = Array.from({ length: pairs }, (_, p) => matrix(`scores of layer pair ${p}`));
    this.bytes = [this.aggregated, ...this.perPair].flat().reduce((sum, { size }) => sum + size, 0);
  }

  /**
   * Makes room for scores, which the kernels are to write. Nobody uses it yet.
   *
   * @throws `out-of-memory`, `device-lost`
   */
  static async create(context: GpuContext, layout: StatisticsLayout): Promise<ScoreStorage> {
    return created(context, 'the scores', () => new ScoreStorage(context, layout));
  }

  get users(): number {
    return this.#users;
  }

  use(): this {
    this.#users++;
    return this;
  }

  /** Once for each {@link ScoreStorage.use}. */
  leave(): void {
    if (--this.#users === 0) this.destroy();
  }

  /** Frees the buffers, whoever uses them. Idempotent. */
  destroy(): void {
    this.#pool.destroy();
  }

  /** Copies all scores of another storage of the same layout. */
  copyFrom(other: ScoreStorage): Promise<void> {
    const { device } = this.context;
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
   * Overwrites the scores of a target in one layer pair, in the order of commands.
   *
   * @param scores `[N]`, of each source
   */
  writeTarget(pair: number, target: number, scores: Float32Array<ArrayBuffer>): void {
    const panel = this.panels[Math.floor(target / this.panels[0]!.rows)]!;
    const { buffer } = this.perPair[pair]![panel.index]!;
    this.context.device.queue.writeBuffer(buffer, 4 * this.nodes * (target - panel.row), scores);
  }
}

/** Score matrices in float32 that stay on the GPU; see {@link ScoreBuffers} for their layout. */
export class GpuScores implements Scores {
  readonly nodes: number;
  readonly pairs: number;
  readonly scoredTargets: number;
  readonly gpu: ScoreBuffers;
  readonly panels: readonly Panel[];
  readonly #storage: ScoreStorage;
  #released = false;

  constructor(storage: ScoreStorage, scoredTargets: number) {
    const { context, nodes, panels, aggregated, perPair } = storage;
    this.#storage = storage.use();
    this.nodes = nodes;
    this.pairs = perPair.length;
    this.scoredTargets = scoredTargets;
    this.panels = panels;
    const buffers = (owned: readonly OwnedBuffer[]): GPUBuffer[] => owned.map(({ buffer }) => buffer);
    this.gpu = {
      device: context.device,
      panels: panels.map(({ row, rows }) => ({ row, rows: Math.min(rows, nodes - row) })),
      aggregated: buffers(aggregated),
      perPair: perPair.map(buffers),
    };
  }

  get aggregated(): readonly OwnedBuffer[] {
    return this.#storage.aggregated;
  }

  get perPair(): readonly (readonly OwnedBuffer[])[] {
    return this.#storage.perPair;
  }

  async matrices(): Promise<ScoreMatrices> {
    assertAlive(this.context);
    const perPair: Float32Array[] = [];
    for (const buffers of this.perPair) perPair.push(await this.#read(buffers));
    return { nodes: this.nodes, aggregated: await this.#read(this.aggregated), perPair };
  }

  async aggregate(): Promise<Float32Array> {
    assertAlive(this.context);
    return this.#read(this.aggregated);
  }

  /** What works with these scores. @throws `released` */
  get context(): GpuContext {
    if (this.#released) throw scoresReleased();
    return this.#storage.context;
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#storage.leave();
  }

  /** Reads panels back as one `[N sources, N targets]` matrix. */
  async #read(buffers: readonly OwnedBuffer[]): Promise<Float32Array> {
    const { nodes, panels } = this;
    const matrix = new Float32Array(nodes * nodes);
    for (const { index, row, rows } of panels) {
      const targets = Math.min(rows, nodes - row);
      const [bytes] = await readBack(this.context, [{ ...buffers[index]!, size: 4 * nodes * targets }]);
      transpose(new Float32Array(bytes!), targets, nodes, matrix, row);
    }
    return matrix;
  }
}

/** Writes rows of targets to a matrix of sources, `first` being the target of the first row; in tiles, for the cache. */
function transpose(
  rows: Float32Array,
  targets: number,
  nodes: number,
  matrix: Float32Array,
  first: number,
): void {
  const tile = 32;
  for (let top = 0; top < targets; top += tile) {
    const bottom = Math.min(top + tile, targets);
    for (let source = 0; source < nodes; source++) {
      const to = source * nodes + first;
      for (let target = top; target < bottom; target++) matrix[to + target] = rows[target * nodes + source]!;
    }
  }
}
