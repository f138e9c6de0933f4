import type { OwnedBuffer } from '../../../gpu/buffer.ts';
import { assertAlive } from '../../../gpu/device.ts';
import { readBack } from '../../../gpu/readback.ts';
import type { ScoreMatrices } from '../../../scoring/score-matrices.ts';
import { scoresReleased } from '../../scores/host-scores.ts';
import type { ScoreBuffers, ScoreReader, Scores } from '../../scores/scores.ts';
import { GpuScoreScanner } from './gpu-score-scanner.ts';
import type { ScoreStorage } from './score-storage.ts';

/** Score matrices in float32 that stay on the GPU; see {@link ScoreBuffers} for their layout. */
export class GpuScores implements Scores {
  readonly nodes: number;
  readonly pairs: number;
  readonly scoredTargets: number;
  readonly nodeFlags: Uint8Array;
  readonly gpu: ScoreBuffers;
  readonly #storage: ScoreStorage;
  #released = false;

  constructor(storage: ScoreStorage, scoredTargets: number) {
    const { context, nodes, panels, aggregated, perPair } = storage;
    this.#storage = storage.retain();
    this.nodes = nodes;
    this.pairs = perPair.length;
    this.scoredTargets = scoredTargets;
    this.nodeFlags = storage.nodeFlags;
    const buffers = (owned: readonly OwnedBuffer[]): GPUBuffer[] => owned.map(({ buffer }) => buffer);
    this.gpu = {
      device: context.device,
      panels: panels.map(({ row, rows }) => ({ row, rows: Math.min(rows, nodes - row) })),
      aggregated: buffers(aggregated),
      perPair: perPair.map(buffers),
    };
  }

  matrices(): Promise<ScoreMatrices> {
    return Promise.resolve().then(() => readMatrices(this.#held(), this.nodeFlags));
  }

  aggregate(): Promise<Float32Array> {
    return Promise.resolve().then(() => readAggregate(this.#held()));
  }

  reader(): ScoreReader {
    const storage = this.#held().retain();
    return {
      holdsPairs: true,
      onHost: false,
      threads: undefined,
      aggregated: () => readAggregate(storage),
      matrices: () => readMatrices(storage, this.nodeFlags),
      scanner: (classOf) => new GpuScoreScanner(storage, classOf),
      release: () => {
        storage.release();
      },
    };
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#storage.release();
  }

  #held(): ScoreStorage {
    if (this.#released) throw scoresReleased();
    return this.#storage;
  }
}

function readAggregate(storage: ScoreStorage): Promise<Float32Array> {
  assertAlive(storage.context);
  return readMatrix(storage, storage.aggregated);
}

async function readMatrices(storage: ScoreStorage, nodeFlags: Uint8Array): Promise<ScoreMatrices> {
  const aggregated = await readAggregate(storage);
  const perPair: Float32Array[] = [];
  for (const buffers of storage.perPair) perPair.push(await readMatrix(storage, buffers));
  return { nodes: storage.nodes, aggregated, perPair, nodeFlags };
}

/** Reads panels back as one `[N sources, N targets]` matrix. */
async function readMatrix(
  { context, nodes, panels }: ScoreStorage,
  buffers: readonly OwnedBuffer[],
): Promise<Float32Array> {
  const matrix = new Float32Array(nodes * nodes);
  for (const { index, row, rows } of panels) {
    const targets = Math.min(rows, nodes - row);
    const [bytes] = await readBack(context, [{ ...buffers[index]!, size: 4 * nodes * targets }]);
    transpose(new Float32Array(bytes!), targets, nodes, matrix, row);
  }
  return matrix;
}

/** Transposes rows of targets, from target `first` on, into a matrix of sources; in tiles, for the cache. */
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
