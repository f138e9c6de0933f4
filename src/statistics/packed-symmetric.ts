import type { Tile } from './products.ts';

/** Rows and columns of a block: a row of the matrix that runs down a column of blocks stays within 32 KiB of each. */
const SIDE = 64;
const BLOCK = SIDE * SIDE;

/**
 * A symmetric matrix in half the room: blocks on and above the diagonal, column of blocks by column of blocks, each
 * row-major.
 */
export class PackedSymmetric {
  readonly #size: number;
  readonly #values: Float64Array;

  /** @throws RangeError where it finds no room */
  constructor(size: number) {
    this.#size = size;
    this.#values = new Float64Array(packedLength(size));
  }

  /** Takes in what lies on and above the diagonal of some columns. */
  setColumns({ values, stride, first, end }: Tile): void {
    for (let i = 0; i < end; i++) {
      const row = Math.floor(i / SIDE);
      const from = i * stride - first;
      for (let j = Math.max(i, first); j < end; j++) {
        const column = Math.floor(j / SIDE);
        const value = values[from + j]!;
        const start = blockStart(row, column);
        this.#values[start + (i % SIDE) * SIDE + (j % SIDE)] = value;
        // Blocks on the diagonal are whole.
        if (row === column) this.#values[start + (j % SIDE) * SIDE + (i % SIDE)] = value;
      }
    }
  }

  at(row: number, column: number): number {
    const [i, j] = row < column ? [row, column] : [column, row];
    const start = blockStart(Math.floor(i / SIDE), Math.floor(j / SIDE));
    return this.#values[start + (i % SIDE) * SIDE + (j % SIDE)]!;
  }

  /** Copies columns `first .. end` of all rows to `out`, row-major `[size, stride]`. */
  copyColumns(first: number, end: number, out: Float64Array, stride: number): void {
    const values = this.#values;
    for (let j0 = first; j0 < end;) {
      const column = Math.floor(j0 / SIDE);
      const count = Math.min(end, (column + 1) * SIDE) - j0;
      for (let i = 0; i < this.#size; i++) {
        const row = Math.floor(i / SIDE);
        const to = i * stride + j0 - first;
        // What lies below the diagonal stands above it as a column.
        const below = row > column;
        const [start, step] = below
          ? [blockStart(column, row) + (j0 % SIDE) * SIDE + (i % SIDE), SIDE]
          : [blockStart(row, column) + (i % SIDE) * SIDE + (j0 % SIDE), 1];
        for (let k = 0; k < count; k++) out[to + k] = values[start + k * step]!;
      }
      j0 += count;
    }
  }
}

/** Numbers that a matrix of so many rows takes. */
export function packedLength(size: number): number {
  const blocks = Math.ceil(size / SIDE);
  return ((blocks * (blocks + 1)) / 2) * BLOCK;
}

/** Where the block of that row and column of blocks begins; the row is not below the column. */
function blockStart(row: number, column: number): number {
  return ((column * (column + 1)) / 2 + row) * BLOCK;
}
