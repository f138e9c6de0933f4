import { createStorage, type OwnedBuffer } from '../../../gpu/buffer.ts';
import type { GpuContext } from '../../../gpu/device.ts';
import type { StatisticsLayout } from './layout.ts';

/** Magnitudes, a buffer for each group of layer pairs that lie together: `[2 together quantities, chunkRows, stride]`. */
export type Chunk = readonly OwnedBuffer[];

/** Rows of one chunk whose products are formed together. */
export interface RowRange {
  readonly chunk: Chunk;
  readonly firstRow: number;
  readonly rows: number;
  /** Batch of the first row, and one past that of the last */
  readonly firstBatch: number;
  readonly endBatch: number;
}

/** Where rows of a batch go. */
export interface RowPlace {
  readonly chunk: Chunk;
  readonly row: number;
}

interface OpenRange {
  firstRow: number;
  rows: number;
  firstBatch: number;
  endBatch: number;
}

/**
 * Rows of magnitudes that are kept on the GPU, in chunks. Rows come in at the end; closing the open range makes the
 * rows since the last close one range, for good, so that products can be formed of them more than once alike.
 */
export class GpuRowStore {
  readonly #context: GpuContext;
  readonly layout: StatisticsLayout;
  readonly #chunks: Chunk[] = [];
  /** Chunks in use; the last of them is being filled */
  #used = 0;
  #open: OpenRange = { firstRow: 0, rows: 0, firstBatch: 0, endBatch: 0 };
  #ranges: RowRange[] = [];

  constructor(context: GpuContext, layout: StatisticsLayout) {
    this.#context = context;
    this.layout = layout;
  }

  /** Closed ranges, in order. */
  get ranges(): readonly RowRange[] {
    return this.#ranges;
  }

  /** Chunks that hold rows. */
  get chunks(): number {
    return this.#used;
  }

  /** Whether that many rows need a chunk that is not in use yet. */
  needsChunk(rows: number): boolean {
    return this.#used === 0 || this.#filled() + rows > this.layout.chunkRows;
  }

  /**
   * Makes room for rows of a batch.
   *
   * @param rows at most `chunkRows`
   * @throws `out-of-memory`, `device-lost`
   */
  place(rows: number, batch: number): RowPlace {
    if (this.needsChunk(rows)) this.startChunk();
    if (this.#open.rows === 0) this.#open.firstBatch = batch;
    const row = this.#filled();
    this.#open.rows += rows;
    this.#open.endBatch = batch + 1;
    return { chunk: this.#chunks[this.#used - 1]!, row };
  }

  /**
   * Begins a chunk, in which the next rows are placed. The open range is closed.
   *
   * @throws `out-of-memory`, `device-lost`
   */
  startChunk(): Chunk {
    // An empty chunk is as good as a new one.
    if (this.#used === 0 || this.#filled() > 0) {
      this.close();
      if (this.#used === this.#chunks.length) this.#chunks.push(this.#createChunk());
      this.#used++;
      this.#open = { firstRow: 0, rows: 0, firstBatch: this.#open.endBatch, endBatch: this.#open.endBatch };
    }
    return this.#chunks[this.#used - 1]!;
  }

  /** Makes the rows that came in since the last close a range. */
  close(): void {
    const { firstRow, rows, firstBatch, endBatch } = this.#open;
    if (rows === 0) return;
    this.#ranges.push({ chunk: this.#chunks[this.#used - 1]!, firstRow, rows, firstBatch, endBatch });
    this.#open = { firstRow: firstRow + rows, rows: 0, firstBatch: endBatch, endBatch };
  }

  /** Forgets all rows; chunks beyond `spare` are freed once commands submitted so far are done with them. */
  clear(spare: number): void {
    for (const buffer of this.#chunks.splice(spare).flat()) buffer.destroy();
    this.#used = 0;
    this.#open = { firstRow: 0, rows: 0, firstBatch: 0, endBatch: 0 };
    this.#ranges = [];
  }

  /** Frees everything. Idempotent. */
  destroy(): void {
    this.clear(0);
  }

  #filled(): number {
    return this.#open.firstRow + this.#open.rows;
  }

  #createChunk(): Chunk {
    const { pairs, pairsPerBuffer, chunkRows, stride } = this.layout;
    return Array.from({ length: pairs / pairsPerBuffer }, () =>
      createStorage(this.#context, 'kept magnitudes', 4 * 2 * pairsPerBuffer * chunkRows * stride),
    );
  }
}
