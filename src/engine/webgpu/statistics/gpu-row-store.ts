import { createStorage, type OwnedBuffer } from '../../../gpu/buffer.ts';
import type { GpuContext } from '../../../gpu/device.ts';
import type { StatisticsLayout } from './layout.ts';

/** Magnitudes, one buffer `[2 * pairsPerBuffer, chunkRows, stride]` per group of layer pairs. */
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

/** Position of a batch's rows in the store. */
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
 * Rows of magnitudes stored on the GPU, in chunks. Rows are appended; closing makes the rows since the last close one
 * permanent range, so that products formed of it repeatedly are identical.
 */
export class GpuRowStore {
  readonly #context: GpuContext;
  readonly layout: StatisticsLayout;
  readonly #chunks: Chunk[] = [];
  /** Chunks in use, the last of them being filled */
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

  /** Whether `rows` more rows need another chunk. */
  needsChunk(rows: number): boolean {
    return this.#used === 0 || this.#filled() + rows > this.layout.chunkRows;
  }

  /**
   * Reserves space for rows of a batch.
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
   * Begins a chunk for the next rows, and closes the open range.
   *
   * @throws `out-of-memory`, `device-lost`
   */
  startChunk(): Chunk {
    // An empty chunk is reused.
    if (this.#used === 0 || this.#filled() > 0) {
      this.close();
      if (this.#used === this.#chunks.length) this.#chunks.push(this.#createChunk());
      this.#used++;
      this.#open = { firstRow: 0, rows: 0, firstBatch: this.#open.endBatch, endBatch: this.#open.endBatch };
    }
    return this.#chunks[this.#used - 1]!;
  }

  /** Makes the rows appended since the last close a range. */
  close(): void {
    const { firstRow, rows, firstBatch, endBatch } = this.#open;
    if (rows === 0) return;
    this.#ranges.push({ chunk: this.#chunks[this.#used - 1]!, firstRow, rows, firstBatch, endBatch });
    this.#open = { firstRow: firstRow + rows, rows: 0, firstBatch: endBatch, endBatch };
  }

  /** Drops all rows; chunks beyond `spare` are freed once the commands submitted so far have run. */
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
