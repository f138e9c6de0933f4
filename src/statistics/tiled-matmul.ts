import type { BlockKernel, BlockMemory, Side } from './block-kernel.ts';
import type { Piece, Rows } from './row-buffer.ts';
import { scalarBlockKernel } from './scalar-blocks.ts';
import { wasmBlockKernel } from './wasm-blocks.ts';

/** Columns of the right panels used together: in float64 they take 512 KiB and stay in a core's own cache. */
const BLOCK_COLUMNS = 256;

/** Elements of a tile, 64 MiB: wide enough that repacking all sources for each tile costs little. */
const TILE_LENGTH = 2 ** 23;

/** Rows of one side of a layer pair, and the pivots that their deviations are taken from. */
export interface Deviations {
  readonly rows: Rows;
  /** `[rows.nodes]` */
  readonly pivot: Float64Array;
}

/** Columns `first .. end` of a matrix of products, row-major `[nodes, stride]`; column `first` comes first. */
export interface Tile {
  readonly values: Float64Array;
  readonly stride: number;
  readonly first: number;
  readonly end: number;
}

/** How a tile is formed. */
export interface TileOptions {
  /** Leaves the entries below the diagonal unspecified */
  readonly upperOnly: boolean;
  /**
   * Row-major `[nodes, nodes]` sums that the rows are added to, chunk by chunk: a matrix that grows by whole chunks
   * ({@link TiledMatmul.chunkRows}) equals, bit for bit, the one formed from all rows at once. It does not change.
   * Default: zeros
   */
  readonly onto?: Float64Array | undefined;
}

/**
 * Forms `A^T B` of deviations, with sums in float64: columns are packed into panels for a {@link BlockKernel} some rows
 * at a time, and the sums of a whole tile of columns stay in the kernel's memory until all rows have been added.
 */
export class TiledMatmul {
  readonly #nodes: number;
  readonly #kernel: BlockKernel;
  readonly #rows: number;
  /** Columns of the widest tile */
  readonly tileColumns: number;
  #memory: BlockMemory | undefined;

  /** @param tileLength elements of a tile, approximately */
  constructor(
    nodes: number,
    kernel: BlockKernel = wasmBlockKernel() ?? scalarBlockKernel,
    tileLength = TILE_LENGTH,
  ) {
    this.#nodes = nodes;
    this.#kernel = kernel;
    this.#rows = roundUp(nodes, kernel.leftWidth);
    const widest = Math.max(BLOCK_COLUMNS, Math.floor(tileLength / nodes / BLOCK_COLUMNS) * BLOCK_COLUMNS);
    this.tileColumns = Math.min(roundUp(nodes, kernel.rightWidth), widest);
  }

  /** What the products run on, for diagnostics */
  get description(): string {
    return this.#kernel.description;
  }

  /** Rows that are summed separately, see {@link BlockKernel.chunkRows} */
  get chunkRows(): number {
    return this.#kernel.chunkRows;
  }

  /**
   * Columns `first .. end`, at most {@link TiledMatmul.tileColumns}, of the products of all nodes of `a` with those of
   * `b` over rows `from .. to`; either may have fewer nodes than the constructor was given. Yields some milliseconds of
   * work apart. The tile lies in scratch memory and is valid until the next one is begun.
   *
   * @throws `out-of-memory` if the scratch memory cannot be allocated
   */
  *tile(
    a: Deviations,
    b: Deviations,
    [from, to]: readonly [number, number],
    [first, end]: readonly [number, number],
    { upperOnly, onto }: TileOptions,
  ): Generator<undefined, Tile, undefined> {
    const { leftWidth, rightWidth } = this.#kernel;
    const memory = this.#open();
    const { sums } = memory;
    const { nodes } = a.rows;
    const sources = upperOnly ? Math.min(end, nodes) : nodes;
    const stride = roundUp(end - first, rightWidth);
    const pack = (
      side: Side,
      { values, first, rows, row, centred }: Piece,
      { rows: { nodes }, pivot }: Deviations,
      columns: readonly [number, number],
    ): void => {
      const own = values.subarray(first * nodes, (first + rows) * nodes);
      memory.pack(side, { values: own, nodes, row, pivot: centred ? undefined : pivot }, columns);
    };
    const rights = b.rows.pieces(from, to);
    let overwrite = onto === undefined;
    if (onto !== undefined) {
      for (let i = 0; i < sources; i++) {
        const begin = upperOnly ? Math.max(i, first) : first;
        sums.set(onto.subarray(i * nodes + begin, i * nodes + end), i * stride + begin - first);
      }
    }
    for (const piece of a.rows.pieces(from, to)) {
      pack('left', piece, a, [0, sources]);
      pack('right', rights.next().value!, b, [first, end]);
      for (let column = 0; column < stride; column += BLOCK_COLUMNS) {
        const columns = Math.min(BLOCK_COLUMNS, stride - column);
        const lastSource = upperOnly ? Math.min(first + column + columns, sources) : sources;
        for (let i = 0; i < lastSource; i += leftWidth) {
          // Above the diagonal: starts at the panel that holds column i.
          const skipped = upperOnly ? roundDown(Math.max(i - first - column, 0), rightWidth) : 0;
          const at = column + skipped;
          const out = { at: i * stride + at, stride, overwrite };
          memory.addBlocks(i, at, (columns - skipped) / rightWidth, out);
        }
        yield;
      }
      overwrite = false;
    }
    // No rows at all.
    if (overwrite) sums.fill(0, 0, nodes * stride);
    return { values: sums, stride, first, end };
  }

  #open(): BlockMemory {
    this.#memory ??= this.#kernel.open({
      left: this.#rows,
      right: this.tileColumns,
      sums: this.#rows * this.tileColumns,
      nodes: this.#nodes,
    });
    return this.#memory;
  }
}

function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}

function roundDown(value: number, step: number): number {
  return Math.floor(value / step) * step;
}

/** Copies a tile of `A^T B` to a row-major `[nodes, nodes]` matrix; for `upperOnly`, on and above the diagonal only. */
export function storeTile(
  { values, stride, first, end }: Tile,
  nodes: number,
  upperOnly: boolean,
  sums: Float64Array,
): void {
  const sources = upperOnly ? end : nodes;
  for (let i = 0; i < sources; i++) {
    const from = i * stride - first;
    const begin = upperOnly ? Math.max(i, first) : first;
    sums.set(values.subarray(from + begin, from + end), i * nodes + begin);
  }
}

/** Copies the upper triangle of a square row-major matrix to the lower one, tile by tile for the cache. */
export function mirrorUpper(matrix: Float64Array, nodes: number): void {
  const tile = 8;
  for (let i0 = 0; i0 < nodes; i0 += tile) {
    const iEnd = Math.min(i0 + tile, nodes);
    for (let j0 = i0; j0 < nodes; j0 += tile) {
      const jEnd = Math.min(j0 + tile, nodes);
      for (let i = i0; i < iEnd; i++) {
        for (let j = Math.max(j0, i + 1); j < jEnd; j++) matrix[j * nodes + i] = matrix[i * nodes + j]!;
      }
    }
  }
}
