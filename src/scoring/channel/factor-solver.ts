import { spanBytes, type MixedBlocks, type Singles } from '../../statistics/mixed-blocks.ts';
import { BLOCK } from './cholesky.ts';
import { placeIn, type Matrix } from './panels.ts';
import { BLOCK_LENGTH, blockAt, blockRows, factorLength, type RidgeFactor } from './ridge-factor.ts';

/** Solves systems of a {@link RidgeFactor} for some right-hand sides at a time, in float32 panels. */
export class FactorSolver {
  /** Rows of the matrices that it solves for: the right-hand sides, padded to whole blocks */
  readonly rows: number;
  readonly #memory: MixedBlocks;
  readonly #size: number;
  readonly #blocks: number;
  /** Left panels of the blocks of U', and of U */
  readonly #forward: Singles;
  readonly #backward: Singles;
  /** Right panels of all rows of the right-hand sides */
  readonly #right: Singles;

  /** Bytes of its memory. @param wide most columns of right-hand sides */
  static bytes(size: number, wide: number): number {
    const length = factorLength(size);
    return spanBytes(
      { length, bytes: 4 },
      { length, bytes: 4 },
      { length: BLOCK * blockRows(size) * wide, bytes: 4 },
      { length: BLOCK_LENGTH, bytes: 4 },
    );
  }

  /** Rows of a matrix of right-hand sides. */
  static rows(size: number): number {
    return BLOCK * blockRows(size);
  }

  /** @param wide most columns of right-hand sides, in whole right panels */
  constructor(memory: MixedBlocks, factor: RidgeFactor, size: number, wide: number) {
    this.rows = FactorSolver.rows(size);
    this.#memory = memory;
    this.#size = size;
    this.#blocks = blockRows(size);
    this.#forward = memory.singles(factor.length);
    this.#backward = memory.singles(factor.length);
    this.#right = memory.singles(this.rows * wide);
    const { single } = memory;
    const block = memory.singles(BLOCK_LENGTH);
    const place = { address: block.address, stride: BLOCK };
    for (let at = 0; at < factor.length; at += BLOCK_LENGTH) {
      block.values.set(factor.subarray(at, at + BLOCK_LENGTH));
      single.packColumns('left', place, BLOCK, BLOCK, this.#forward.address + 4 * at);
      single.packRows('left', place, BLOCK, BLOCK, this.#backward.address + 4 * at);
    }
  }

  /**
   * Overwrites right-hand sides with the solutions.
   *
   * @param sides `[rows, stride]`, of which the first `columns` columns are solved
   * @returns yields some milliseconds of work apart
   */
  *solve(sides: Matrix, columns: number): Generator<undefined, void, undefined> {
    sides.values.fill(0, this.#size * sides.stride, this.rows * sides.stride);
    const last = this.#blocks - 1;
    for (let i = 0; i <= last; i++) {
      for (let j = 0; j < i; j++) this.#add(this.#forward, [j, i], [j, i], { sides, columns });
      this.#finish(this.#forward, i, sides, columns);
      yield;
    }
    for (let i = last; i >= 0; i--) {
      for (let j = last; j > i; j--) this.#add(this.#backward, [i, j], [j, i], { sides, columns });
      this.#finish(this.#backward, i, sides, columns);
      yield;
    }
  }

  /** Multiplies a block of rows by the inverse of a diagonal block, and packs it for the blocks that follow. */
  #finish(left: Singles, i: number, sides: Matrix, columns: number): void {
    this.#pack(sides, i, columns);
    this.#add(left, [i, i], [i, i], { sides, columns }, true);
    this.#pack(sides, i, columns);
  }

  #pack(sides: Matrix, block: number, columns: number): void {
    const from = placeIn(sides, BLOCK * block, 0);
    this.#memory.single.packColumns('right', from, BLOCK, columns, this.#rightOf(block, sides));
  }

  #rightOf(block: number, { stride }: Matrix): number {
    return this.#right.address + 4 * BLOCK * block * stride;
  }

  /** Adds the product of a block of the factor and packed rows `from` to rows `to`, or overwrites them. */
  #add(
    left: Singles,
    [i, j]: readonly [number, number],
    [from, to]: readonly [number, number],
    { sides, columns }: { readonly sides: Matrix; readonly columns: number },
    overwrite = false,
  ): void {
    const { single } = this.#memory;
    const { leftWidth, rightWidth, bytes } = single;
    const own = left.address + bytes * BLOCK_LENGTH * blockAt(this.#blocks, i, j);
    const panels = Math.ceil(columns / rightWidth);
    for (let row = 0; row < BLOCK; row += leftWidth) {
      single.add(own + bytes * row * BLOCK, this.#rightOf(from, sides), BLOCK, panels, {
        address: placeIn(sides, BLOCK * to + row, 0).address,
        rowBytes: bytes * sides.stride,
        overwrite,
      });
    }
  }
}
