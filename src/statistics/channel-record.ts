/** Channel values of one batch: P entries each, row-major `[size, channels]`. */
export interface ChannelValuesBatch {
  /** B, samples in the batch */
  readonly size: number;
  readonly activations: readonly Float32Array[];
  readonly gradients: readonly Float32Array[];
}

/** Channel values of one layer pair, as consecutive row-major `[rows, channels]` blocks. */
export interface PairRows {
  readonly x: readonly Float32Array[];
  readonly u: readonly Float32Array[];
}

/** A snapshot of samples, which later batches do not change. */
export interface ChannelRows {
  /** n */
  readonly samples: number;
  /** C, channels of a layer */
  readonly channels: number;
  /** P entries */
  readonly pairs: readonly PairRows[];
}

/** Allocates a zero-filled array. */
export type NewSingles = (length: number) => Float32Array;

/** Rows of a block: few enough that a nearly empty block wastes little. */
const BLOCK_ROWS = 256;

interface Block {
  readonly values: Float32Array;
  rows: number;
}

/** Raw channel values of all samples: float32, 8 P C bytes per sample. */
export class ChannelRecord {
  readonly channels: number;
  readonly #newSingles: NewSingles;
  /** Activations and gradients of each layer pair, in turn */
  readonly #sides: Block[][];
  #samples = 0;

  /** @param pairs P @param channels C */
  constructor(
    pairs: number,
    channels: number,
    newSingles: NewSingles = (length) => new Float32Array(length),
  ) {
    this.channels = channels;
    this.#newSingles = newSingles;
    this.#sides = Array.from({ length: 2 * pairs }, () => []);
  }

  /** n */
  get samples(): number {
    return this.#samples;
  }

  /** Memory of `samples` samples, in bytes */
  bytesOf(samples: number): number {
    return 4 * this.#sides.length * this.channels * samples;
  }

  /** Appends a copy. @throws RangeError if memory runs out; nothing of the batch is kept then */
  add({ size, activations, gradients }: ChannelValuesBatch): void {
    const before = this.#samples;
    try {
      activations.forEach((values, p) => {
        this.#append(this.#sides[2 * p]!, values, size);
        this.#append(this.#sides[2 * p + 1]!, gradients[p]!, size);
      });
      this.#samples = before + size;
    } catch (error) {
      this.truncate(before);
      throw error;
    }
  }

  /** Keeps the first `samples` samples only. Earlier views still have the others. */
  truncate(samples: number): void {
    for (const blocks of this.#sides) {
      let first = 0;
      for (const [at, block] of blocks.entries()) {
        const kept = Math.min(block.rows, Math.max(samples - first, 0));
        first += block.rows;
        if (kept === block.rows) continue;
        // A copy: later rows must not overwrite rows that a view shows.
        const values = block.values.slice(0, kept * this.channels);
        blocks.splice(at, Infinity, ...(kept > 0 ? [{ values, rows: kept }] : []));
        break;
      }
    }
    this.#samples = Math.min(this.#samples, samples);
  }

  clear(): void {
    this.truncate(0);
  }

  /** The current samples. No copy is made. */
  view(): ChannelRows {
    const rows = (side: number): Float32Array[] =>
      this.#sides[side]!.map(({ values, rows }) => values.subarray(0, rows * this.channels));
    const pairs = Array.from({ length: this.#sides.length / 2 }, (_, p) => ({
      x: rows(2 * p),
      u: rows(2 * p + 1),
    }));
    return { samples: this.#samples, channels: this.channels, pairs };
  }

  #append(blocks: Block[], values: Float32Array, size: number): void {
    const { channels } = this;
    for (let done = 0; done < size;) {
      let block = blocks.at(-1);
      if (block === undefined || block.rows * channels >= block.values.length) {
        block = { values: this.#newSingles(BLOCK_ROWS * channels), rows: 0 };
        blocks.push(block);
      }
      const count = Math.min(size - done, block.values.length / channels - block.rows);
      block.values.set(values.subarray(done * channels, (done + count) * channels), block.rows * channels);
      block.rows += count;
      done += count;
    }
  }
}

/** Rows without `first .. end`. No copy is made. */
export function withoutRows(rows: ChannelRows, first: number, end: number): ChannelRows {
  const { channels } = rows;
  const cut = (blocks: readonly Float32Array[]): Float32Array[] => {
    let at = 0;
    return blocks.flatMap((block) => {
      const [from, to] = [at, at + block.length / channels];
      at = to;
      const parts = [
        [from, Math.min(to, first)],
        [Math.max(from, end), to],
      ] as const;
      return parts.flatMap(([a, b]) =>
        a < b ? [block.subarray((a - from) * channels, (b - from) * channels)] : [],
      );
    });
  };
  return {
    channels,
    samples: rows.samples - (end - first),
    pairs: rows.pairs.map(({ x, u }) => ({ x: cut(x), u: cut(u) })),
  };
}
