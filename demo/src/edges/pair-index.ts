import type { EdgeColumns } from './edge-columns.ts';

/** Maps a pair to its row: an open-addressing hash table in typed arrays, 16 to 32 bytes a row; a Map takes 100. */
export class PairIndex {
  readonly #nodes: number;
  readonly #mask: number;
  readonly #shift: number;
  readonly #keys: Float64Array;
  readonly #rows: Int32Array;

  constructor({ names, rows, src, dst }: Pick<EdgeColumns, 'names' | 'rows' | 'src' | 'dst'>) {
    this.#nodes = names.length;
    const bits = Math.ceil(Math.log2(Math.max(2, 1.5 * rows)));
    const capacity = 2 ** bits;
    this.#mask = capacity - 1;
    this.#shift = 32 - bits;
    this.#keys = new Float64Array(capacity).fill(-1);
    this.#rows = new Int32Array(capacity);
    for (let row = 0; row < rows; row++) {
      const key = src[row]! * this.#nodes + dst[row]!;
      const slot = this.#slot(key);
      this.#keys[slot] = key;
      this.#rows[slot] = row;
    }
  }

  /** The row of a pair; -1 if the table has none. */
  rowOf(source: number, target: number): number {
    const key = source * this.#nodes + target;
    const slot = this.#slot(key);
    return this.#keys[slot] === key ? this.#rows[slot]! : -1;
  }

  /** The slot of a key, or the free slot where it belongs. */
  #slot(key: number): number {
    // Multiplicative hashing: the high bits of the product depend on all bits of the key.
    let slot = Math.imul(key | 0, 0x9e3779b1) >>> this.#shift;
    while (this.#keys[slot] !== -1 && this.#keys[slot] !== key) slot = (slot + 1) & this.#mask;
    return slot;
  }
}
