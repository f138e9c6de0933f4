import type { OwnedBuffer } from '../../../gpu/buffer.ts';
import { assertAlive, type GpuContext } from '../../../gpu/device.ts';
import { readBack } from '../../../gpu/readback.ts';
import type { Panel } from '../statistics/layout.ts';
import { scoresReleased } from '../../scores/host-scores.ts';
import type { ScoreMatrices } from '../../../scoring/score-matrices.ts';
import type { ScoreBuffers, Scores } from '../../scores/scores.ts';
import type { ScoreStorage } from './score-storage.ts';

/** Score matrices in float32 that stay on the GPU; see {@link ScoreBuffers} for their layout. */
export class GpuScores implements Scores {
  readonly nodes: number;
  readonly pairs: number;
  readonly scoredTargets: number;
  readonly nodeFlags: Uint8Array;
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
    this.nodeFlags = storage.nodeFlags;
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
    const { nodes, nodeFlags } = this;
    return { nodes, aggregated: await this.#read(this.aggregated), perPair, nodeFlags };
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
