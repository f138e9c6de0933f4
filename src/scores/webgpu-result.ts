import { BufferPool, createStorage, type OwnedBuffer } from '../gpu/buffer.ts';
import { assertAlive, type GpuContext } from '../gpu/device.ts';
import { scoped } from '../gpu/error-scope.ts';
import { readBack } from '../gpu/readback.ts';
import type { Panel, StatisticsLayout } from '../statistics/webgpu-layout.ts';
import { scoresReleased } from './host-scores.ts';
import type { ScoreMatrices } from './score-matrices.ts';
import type { ScoreBuffers, Scores } from './scores.ts';

/** Score matrices in float32 that stay on the GPU; see {@link ScoreBuffers} for their layout. */
export class GpuScores implements Scores {
  readonly nodes: number;
  readonly pairs: number;
  readonly gpu: ScoreBuffers;
  readonly panels: readonly Panel[];
  /** A buffer per panel */
  readonly aggregated: readonly OwnedBuffer[];
  /** For each layer pair a buffer per panel */
  readonly perPair: readonly (readonly OwnedBuffer[])[];
  readonly #context: GpuContext;
  readonly #pool = new BufferPool();
  #released = false;

  private constructor(context: GpuContext, { nodes, pairs, panels }: StatisticsLayout) {
    this.#context = context;
    this.nodes = nodes;
    this.pairs = pairs;
    this.panels = panels;
    const matrix = (label: string): OwnedBuffer[] =>
      panels.map(({ rows }) => this.#pool.keep(createStorage(context, label, 4 * rows * nodes)));
    this.aggregated = matrix('aggregated scores');
    this.perPair = Array.from({ length: pairs }, (_, p) => matrix(`scores of layer pair ${p}`));
    const buffers = (owned: readonly OwnedBuffer[]): GPUBuffer[] => owned.map(({ buffer }) => buffer);
    this.gpu = {
      device: context.device,
      panels: panels.map(({ row, rows }) => ({ row, rows: Math.min(rows, nodes - row) })),
      aggregated: buffers(this.aggregated),
      perPair: this.perPair.map(buffers),
    };
  }

  /**
   * Makes room for scores, which the kernels are to write.
   *
   * @throws `out-of-memory`, `device-lost`
   */
  static async create(context: GpuContext, layout: StatisticsLayout): Promise<GpuScores> {
    const made = scoped(context, 'the scores', () => new GpuScores(context, layout));
    try {
      await made.settled;
      return made.result;
    } catch (error) {
      made.result.release();
      throw error;
    }
  }

  async matrices(): Promise<ScoreMatrices> {
    if (this.#released) throw scoresReleased();
    assertAlive(this.#context);
    const perPair: Float32Array[] = [];
    for (const buffers of this.perPair) perPair.push(await this.#read(buffers));
    return { nodes: this.nodes, aggregated: await this.#read(this.aggregated), perPair };
  }

  /** What works with these scores. @throws `released` */
  get context(): GpuContext {
    if (this.#released) throw scoresReleased();
    return this.#context;
  }

  release(): void {
    this.#released = true;
    this.#pool.destroy();
  }

  /**
   * Overwrites the scores of a target in one layer pair, in the order of commands.
   *
   * @param scores `[N]`, of each source
   */
  writeTarget(pair: number, target: number, scores: Float32Array<ArrayBuffer>): void {
    const panel = this.panels[Math.floor(target / this.panels[0]!.rows)]!;
    const { buffer } = this.perPair[pair]![panel.index]!;
    this.#context.device.queue.writeBuffer(buffer, 4 * this.nodes * (target - panel.row), scores);
  }

  /** Reads panels back as one `[N sources, N targets]` matrix. */
  async #read(buffers: readonly OwnedBuffer[]): Promise<Float32Array> {
    const { nodes, panels } = this;
    const matrix = new Float32Array(nodes * nodes);
    for (const { index, row, rows } of panels) {
      const targets = Math.min(rows, nodes - row);
      const [bytes] = await readBack(this.#context, [{ ...buffers[index]!, size: 4 * nodes * targets }]);
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
