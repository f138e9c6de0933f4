import { discard } from './discard.ts';
import type { Tile } from './tiled-matmul.ts';

/** Rows and columns of a block: a row of the matrix that runs down a column of blocks stays within 32 KiB of each. */
const SIDE = 64;
const BLOCK = SIDE * SIDE;

/**
 * A symmetric matrix in half the memory: blocks on and above the diagonal, block column by block column, each
 * row-major.
 */
export class PackedSymmetric {
  readonly #values: Float64Array;

  /** @throws RangeError if memory runs out */
  constructor(size: number) {
    this.#values = new Float64Array(packedLength(size));
  }

  /** Frees the memory for good. */
  discard(): void {
    discard(this.#values);
  }

  /** Stores the entries on and above the diagonal of some columns. */
  setColumns({ values, stride, first, end }: Tile): void {
    for (let i = 0; i < end; i++) {
      const row = Math.floor(i / SIDE);
      const from = i * stride - first;
      for (let j = Math.max(i, first); j < end; j++) {
        const column = Math.floor(j / SIDE);
        const value = values[from + j]!;
        const start = blockStart(row, column);
        this.#values[start + (i % SIDE) * SIDE + (j % SIDE)] = value;
        // Diagonal blocks are stored in full.
        if (row === column) this.#values[start + (j % SIDE) * SIDE + (i % SIDE)] = value;
      }
    }
  }

  at(row: number, column: number): number {
    const [i, j] = row < column ? [row, column] : [column, row];
    const start = blockStart(Math.floor(i / SIDE), Math.floor(j / SIDE));
    return this.#values[start + (i % SIDE) * SIDE + (j % SIDE)]!;
  }

  /** Copies columns `first .. end` of one row to `out`, from `to` on. */
  copyPart(row: number, first: number, end: number, out: Float64Array, to: number): void {
    const values = this.#values;
    const own = Math.floor(row / SIDE);
    const inBlock = row % SIDE;
    for (let j0 = first; j0 < end;) {
      const column = Math.floor(j0 / SIDE);
      const count = Math.min(end, (column + 1) * SIDE) - j0;
      // Entries below the diagonal are stored above it, as a column.
      const [from, step] =
        own > column
          ? [blockStart(column, own) + (j0 % SIDE) * SIDE + inBlock, SIDE]
          : [blockStart(own, column) + inBlock * SIDE + (j0 % SIDE), 1];
      const at = to + j0 - first;
      for (let k = 0; k < count; k++) out[at + k] = values[from + k * step]!;
      j0 += count;
    }
  }
}

/** Numbers that a packed matrix of `size` rows takes. */
function packedLength(size: number): number {
  const blocks = Math.ceil(size / SIDE);
  return ((blocks * (blocks + 1)) / 2) * BLOCK;
}

/** Index of the first entry of a block, which must lie on or above the diagonal. */
function blockStart(row: number, column: number): number {
  return ((column * (column + 1)) / 2 + row) * BLOCK;
}
