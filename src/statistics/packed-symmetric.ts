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

  /** Copies row `row` to `out`, from `at` on. */
  copyRow(row: number, out: Float64Array, at: number): void {
    const size = this.#size;
    const values = this.#values;
    const own = Math.floor(row / SIDE);
    const inBlock = row % SIDE;
    for (let block = 0; block * SIDE < size; block++) {
      const count = Math.min(SIDE, size - block * SIDE);
      const to = at + block * SIDE;
      if (block < own) {
        // What lies below the diagonal stands above it as a column.
        const from = blockStart(block, own) + inBlock;
        for (let k = 0; k < count; k++) out[to + k] = values[from + k * SIDE]!;
      } else {
        const from = blockStart(own, block) + inBlock * SIDE;
        for (let k = 0; k < count; k++) out[to + k] = values[from + k]!;
      }
    }
  }

  /** Element `index` of the diagonal. */
  diagonal(index: number): number {
    const own = Math.floor(index / SIDE);
    return this.#values[blockStart(own, own) + (index % SIDE) * (SIDE + 1)]!;
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
