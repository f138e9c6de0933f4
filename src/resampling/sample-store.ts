import { MagnitudeEdgeError } from '../errors.ts';
import type { EngineShape, MagnitudeBatch } from '../engine/engine.ts';

/** Bytes of one block of rows: large enough that few are made, small enough that the last one wastes little. */
const BLOCK_BYTES = 8 * 2 ** 20;

/** Rows gathered for an engine at a time, few enough that a page stays responsive; and most bytes of them. */
const BATCH_ROWS = 256;
const BATCH_BYTES = 64 * 2 ** 20;

/** Which rows form the samples of a resample: sample k has x of row `x[k]` and y of row `y[k]`. */
export interface RowPairing {
  readonly x: Uint32Array;
  readonly y: Uint32Array;
}

/**
 * Magnitudes of the samples seen, kept on the host in float32, in order of arrival: 8 P N bytes per sample. Views share
 * the rows. Only `truncate` allows rows to be written again; it drops samples of batches that the engine has refused,
 * and a view is made only of samples that the engine has checked.
 */
export class SampleStore {
  /** N */
  readonly nodes: number;
  readonly #pairs: number;
  readonly #blockRows: number;
  readonly #maxBytes: number;
  /** `[quantities, blockRows, nodes]` each; quantity 2 p is x of pair p, 2 p + 1 is y */
  #blocks: Float32Array[] = [];
  #samples = 0;

  /** @param maxBytes most bytes that are kept */
  constructor({ nodes, pairs }: Pick<EngineShape, 'nodes' | 'pairs'>, maxBytes: number) {
    this.nodes = nodes;
    this.#pairs = pairs;
    this.#maxBytes = maxBytes;
    this.#blockRows = Math.max(1, Math.floor(BLOCK_BYTES / this.#rowBytes));
  }

  get samples(): number {
    return this.#samples;
  }

  /**
   * Allocates memory for a batch before anything is done with it.
   *
   * @throws `out-of-memory` if the record would exceed its limit, or memory runs out
   */
  reserve(size: number): void {
    const samples = this.#samples + size;
    const bytes = samples * this.#rowBytes;
    const refuse = (why: string, cause?: unknown): never => {
      throw new MagnitudeEdgeError(
        'out-of-memory',
        `The magnitudes of ${samples} samples, which uncertainty needs, take ${bytes} bytes ` +
          `(${this.#rowBytes} per sample), but ${why}.`,
        { details: { samples, bytes, expected: this.#maxBytes }, cause },
      );
    };
    if (bytes > this.#maxBytes) refuse(`uncertainty.maxBytes is ${this.#maxBytes}`);
    try {
      while (this.#blocks.length * this.#blockRows < samples) {
        this.#blocks.push(new Float32Array((this.#blockRows * this.#rowBytes) / 4));
      }
    } catch (cause) {
      refuse('there is not enough memory', cause);
    }
  }

  /** Adds a batch for which memory was reserved. */
  add({ size, x, y }: MagnitudeBatch): void {
    for (let p = 0; p < this.#pairs; p++) {
      for (const [quantity, values] of [
        [2 * p, x[p]!],
        [2 * p + 1, y[p]!],
      ] as const) {
        for (let row = 0; row < size; row++) {
          const { block, at } = this.#locate(quantity, this.#samples + row);
          block.set(values.subarray(row * this.nodes, (row + 1) * this.nodes), at);
        }
      }
    }
    this.#samples += size;
  }

  /** Keeps the first `samples` samples only. Later additions overwrite the others, also in views that show them. */
  truncate(samples: number): void {
    this.#samples = Math.min(this.#samples, samples);
  }

  /** Drops all samples. Views of them stay valid. */
  clear(): void {
    this.#blocks = [];
    this.#samples = 0;
  }

  /** A view of the current samples. Later additions and `clear` do not change it. */
  view(): SampleStore {
    const view = new SampleStore({ nodes: this.nodes, pairs: this.#pairs }, this.#maxBytes);
    view.#blocks = [...this.#blocks];
    view.#samples = this.#samples;
    return view;
  }

  /** Batches of the samples of a pairing of the rows, each a new copy. */
  *batches({ x, y }: RowPairing): Generator<MagnitudeBatch> {
    const step = Math.max(1, Math.min(BATCH_ROWS, Math.floor(BATCH_BYTES / this.#rowBytes)));
    for (let first = 0; first < x.length; first += step) {
      const end = Math.min(first + step, x.length);
      const gather = (quantity: 0 | 1, rows: Uint32Array): Float32Array[] =>
        Array.from({ length: this.#pairs }, (_, p) => this.#gather(2 * p + quantity, rows));
      yield {
        size: end - first,
        x: gather(0, x.subarray(first, end)),
        y: gather(1, y.subarray(first, end)),
      };
    }
  }

  /** All samples of a pairing of the rows: P entries each, new copies. */
  gathered({ x, y }: RowPairing): MagnitudeBatch {
    const pairs = Array.from({ length: this.#pairs }, (_, p) => p);
    return {
      size: x.length,
      x: pairs.map((p) => this.#gather(2 * p, x)),
      y: pairs.map((p) => this.#gather(2 * p + 1, y)),
    };
  }

  get #rowBytes(): number {
    return 4 * 2 * this.#pairs * this.nodes;
  }

  #gather(quantity: number, rows: Uint32Array): Float32Array {
    const nodes = this.nodes;
    const gathered = new Float32Array(rows.length * nodes);
    for (let k = 0; k < rows.length; k++) {
      const { block, at } = this.#locate(quantity, rows[k]!);
      gathered.set(block.subarray(at, at + nodes), k * nodes);
    }
    return gathered;
  }

  #locate(quantity: number, row: number): { block: Float32Array; at: number } {
    const index = Math.floor(row / this.#blockRows);
    const within = row - index * this.#blockRows;
    return {
      block: this.#blocks[index]!,
      at: (quantity * this.#blockRows + within) * this.nodes,
    };
  }
}
