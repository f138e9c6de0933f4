import { BufferPool, createStorage, storageFrom, type OwnedBuffer } from '../../../gpu/buffer.ts';
import type { GpuContext } from '../../../gpu/device.ts';
import { scoped } from '../../../gpu/error-scope.ts';
import { compileKernel } from '../../../gpu/kernel.ts';
import { readBack } from '../../../gpu/readback.ts';
import { Recorder, workgroups } from '../../../gpu/recorder.ts';
import type { BinRange, ScoredPairs, ScoreScanner } from '../../../ranking/score-scanner.ts';
import type { Thresholds } from '../../../ranking/thresholds.ts';
import {
  collectBinsKernel,
  countBinsKernel,
  countMissingKernel,
  gatherScoresKernel,
  WORKGROUP,
} from './score-kernels.ts';
import type { ScoreStorage } from './score-storage.ts';

/** {@link ScoreScanner} over scores on the GPU: only counts and chosen scores are read back. */
export class GpuScoreScanner implements ScoreScanner {
  readonly nodes: number;
  readonly #context: GpuContext;
  readonly #scores: ScoreStorage;
  readonly #classOf: Uint32Array<ArrayBuffer>;

  /** @param classOf class of each target; see `DegreesOfFreedomGroups` */
  constructor(scores: ScoreStorage, classOf: ArrayLike<number>) {
    this.nodes = scores.nodes;
    this.#context = scores.context;
    this.#scores = scores;
    this.#classOf = Uint32Array.from(classOf);
  }

  count(thresholds: Thresholds): Promise<Uint32Array> {
    return this.#withBuffers(async (keep) => {
      const kernel = await compileKernel(this.#context, countBinsKernel, { WORKGROUP });
      const bytes = 4 * (thresholds.count + 2);
      const counts = keep(() => createStorage(this.#context, 'counts of scores', bytes));
      const common = this.#uploaded(keep, thresholds);
      const recorder = new Recorder(this.#context);
      for (const { index, panel_row, elements } of this.#panels()) {
        recorder.dispatch(
          kernel,
          { nodes: this.nodes, panel_row, elements, thresholds: thresholds.count },
          { ...common, scores: this.#scores.aggregated[index]!, counts },
          workgroups(Math.ceil(elements / WORKGROUP)),
        );
      }
      await recorder.submit('counts of scores');
      const [read] = await readBack(this.#context, [{ ...counts, size: bytes }]);
      return new Uint32Array(read!);
    });
  }

  collect(thresholds: Thresholds, binFlags: Uint8Array, most: number): Promise<ScoredPairs> {
    return this.#withBuffers(async (keep) => {
      const kernel = await compileKernel(this.#context, collectBinsKernel, { WORKGROUP });
      const bits = new Uint32Array(Math.ceil((thresholds.count + 2) / 32));
      binFlags.forEach((flag, bin) => (bits[bin >>> 5]! |= flag << (bin & 31)));
      const flags = keep(() => storageFrom(this.#context, 'wanted bins', bits));
      const found = keep(() => createStorage(this.#context, 'found', 4));
      const collected = keep(() => createStorage(this.#context, 'chosen scores', 8 * most));
      const common = this.#uploaded(keep, thresholds);
      const recorder = new Recorder(this.#context);
      for (const { index, panel_row, elements } of this.#panels()) {
        recorder.dispatch(
          kernel,
          { nodes: this.nodes, panel_row, elements, thresholds: thresholds.count, most },
          { ...common, scores: this.#scores.aggregated[index]!, wanted: flags, found, collected },
          workgroups(Math.ceil(elements / WORKGROUP)),
        );
      }
      await recorder.submit('chosen scores');
      const [read] = await readBack(this.#context, [{ ...collected, size: 8 * most }]);
      const words = new Uint32Array(read!);
      const pairIndices = new Uint32Array(most);
      const scoreBits = new Uint32Array(most);
      for (let k = 0; k < most; k++) {
        pairIndices[k] = words[2 * k]!;
        scoreBits[k] = words[2 * k + 1]!;
      }
      return { pairIndices, scores: new Float32Array(scoreBits.buffer) };
    });
  }

  async *inGroups(
    thresholds: Thresholds,
    groups: readonly BinRange[],
    counts: Uint32Array,
  ): AsyncGenerator<ScoredPairs, void, undefined> {
    for (const { first, end } of groups) {
      const binFlags = new Uint8Array(counts.length).fill(1, first, end);
      const most = counts.subarray(first, end).reduce((sum, count) => sum + count, 0);
      yield await this.collect(thresholds, binFlags, most);
    }
  }

  missing(flagged: Uint8Array): Promise<Uint32Array> {
    return this.#withBuffers(async (keep) => {
      const kernel = await compileKernel(this.#context, countMissingKernel, { WORKGROUP });
      const sources = keep(() => storageFrom(this.#context, 'flagged sources', Uint32Array.from(flagged)));
      const bytes = 4 * 3 * this.nodes;
      const counts = keep(() => createStorage(this.#context, 'counts of missing scores', bytes));
      const recorder = new Recorder(this.#context);
      for (const { index, panel_row, elements } of this.#panels()) {
        recorder.dispatch(
          kernel,
          { nodes: this.nodes, panel_row, elements },
          { scores: this.#scores.aggregated[index]!, sources, counts },
          workgroups(Math.ceil(elements / WORKGROUP)),
        );
      }
      await recorder.submit('counts of missing scores');
      const [read] = await readBack(this.#context, [{ ...counts, size: bytes }]);
      return new Uint32Array(read!);
    });
  }

  async aggregatedAt(pairIndices: Uint32Array): Promise<Float32Array> {
    const [scores] = await this.#gather([this.#scores.aggregated], pairIndices);
    return scores!;
  }

  perPairAt(pairIndices: Uint32Array): Promise<Float32Array[]> {
    return this.#gather(this.#scores.perPair, pairIndices);
  }

  #gather(matrices: readonly (readonly OwnedBuffer[])[], pairIndices: Uint32Array): Promise<Float32Array[]> {
    const count = pairIndices.length;
    if (count === 0) return Promise.resolve(matrices.map(() => new Float32Array()));
    return this.#withBuffers(async (keep) => {
      const kernel = await compileKernel(this.#context, gatherScoresKernel, { WORKGROUP });
      const list = keep(() => storageFrom(this.#context, 'chosen pairs', Uint32Array.from(pairIndices)));
      const recorder = new Recorder(this.#context);
      const gathered = matrices.map((panels) => {
        const to = keep(() => createStorage(this.#context, 'scores of chosen pairs', 4 * count));
        for (const { index, panel_row, panel_rows } of this.#panels()) {
          recorder.dispatch(
            kernel,
            { nodes: this.nodes, panel_row, panel_rows, count },
            { pair_indices: list, scores: panels[index]!, gathered: to },
            workgroups(Math.ceil(count / WORKGROUP)),
          );
        }
        return to;
      });
      await recorder.submit('scores of chosen pairs');
      const views = gathered.map((buffer) => ({ ...buffer, size: 4 * count }));
      return (await readBack(this.#context, views)).map((bytes) => new Float32Array(bytes));
    });
  }

  #panels(): { index: number; panel_row: number; panel_rows: number; elements: number }[] {
    return this.#scores.panels.map(({ index, row, rows }) => {
      const panel_rows = Math.min(rows, this.nodes - row);
      return { index, panel_row: row, panel_rows, elements: panel_rows * this.nodes };
    });
  }

  #uploaded(keep: Keep, { values }: Thresholds) {
    const ordered = Uint32Array.from(values, (value) => orderedBits(nextFloat32(value)));
    return {
      classes: keep(() => storageFrom(this.#context, 'classes of targets', this.#classOf)),
      thresholds: keep(() => storageFrom(this.#context, 'thresholds', ordered)),
    };
  }

  async #withBuffers<T>(work: (keep: Keep) => Promise<T>): Promise<T> {
    const pool = new BufferPool();
    const settled: Promise<void>[] = [];
    try {
      const result = await work((make) => {
        const made = scoped(this.#context, 'a choice of scores', make);
        made.settled.catch(ignore);
        settled.push(made.settled);
        return pool.keep(made.result);
      });
      await Promise.all(settled);
      return result;
    } finally {
      pool.destroy();
    }
  }
}

type Keep = (make: () => OwnedBuffer) => OwnedBuffer;

function ignore(): void {
  // Awaited with the others once the work is done.
}

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The smallest float32 >= `value`: a float32 score is >= the one exactly if it is >= the other. */
export function nextFloat32(value: number): number {
  const near = Math.fround(value);
  if (near >= value) return near;
  float[0] = near;
  bits[0] = near > 0 ? bits[0]! + 1 : near < 0 ? bits[0]! - 1 : 1;
  return float[0];
}

/** Bits of a float32 as an integer that sorts like the number; `ordered` of shaders/shared/bins.wgsl. */
export function orderedBits(value: number): number {
  float[0] = value;
  const word = bits[0]!;
  if (word === 0x8000_0000) return word;
  return word > 0x8000_0000 ? ~word >>> 0 : (word | 0x8000_0000) >>> 0;
}
