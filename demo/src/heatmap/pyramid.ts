import { joinCells, packCell, emptyCell } from './cell.ts';
import type { ScoreMatrix } from '../edges/score-matrix.ts';

/** Texels along the side of a tile. */
export const tileSize = 256;

export interface TileRequest {
  /** A texel of level l covers 2^l x 2^l cells. */
  readonly level: number;
  readonly row: number;
  readonly column: number;
}

/** Number of levels of a matrix: at the last one everything fits into one tile. */
export function levelCount(nodes: number): number {
  let levels = 1;
  for (let side = nodes; side > tileSize; side = Math.ceil(side / 2)) levels++;
  return levels;
}

/**
 * Tiles of the matrix at every zoom, with rows and columns in a given order. Levels 0 and 1 are gathered from the
 * scores on demand, so that the levels above them add 8% rather than 133% to a matrix of hundreds of megabytes.
 */
export class HeatmapPyramid {
  readonly #matrix: ScoreMatrix;
  readonly #order: Uint32Array;
  /** Maps a score to the number that a texel holds, at most 1. */
  readonly #shown: (score: number) => number;
  /** Levels 2 and up, each square. */
  readonly #upper: { side: number; cells: Uint32Array }[] = [];

  /** `order[place]` is the node shown at that row and column. */
  constructor(matrix: ScoreMatrix, order: Uint32Array) {
    this.#matrix = matrix;
    this.#order = order;
    const { isSigned, extent } = matrix;
    const unit = isSigned ? Math.max(1, extent) : extent || 1;
    this.#shown = isSigned ? (score) => score / unit : (score) => Math.sqrt(score / unit);
    const levels = levelCount(matrix.nodes);
    for (let level = 2; level < levels; level++)
      this.#upper.push(level === 2 ? this.#gatherLevel2() : halve(this.#upper[level - 3]!));
  }

  /** `[tileSize, tileSize]` texels, empty beyond the border. A fresh array, owned by the caller. */
  tile({ level, row, column }: TileRequest): Uint32Array {
    const texels = new Uint32Array(tileSize * tileSize);
    const top = row * tileSize;
    const left = column * tileSize;
    const side = Math.ceil(this.#matrix.nodes / 2 ** level);
    const width = Math.min(tileSize, side - left);
    for (let i = 0; i < Math.min(tileSize, side - top); i++)
      for (let k = 0; k < width; k++) texels[i * tileSize + k] = this.#texel(level, top + i, left + k);
    return texels;
  }

  #texel(level: number, row: number, column: number): number {
    if (level >= 2) {
      const { side, cells } = this.#upper[level - 2]!;
      return cells[row * side + column]!;
    }
    return this.#gather(row << level, column << level, 1 << level);
  }

  /** The texel over `span` x `span` cells, computed from the scores. */
  #gather(row: number, column: number, span: number): number {
    const { nodes, scores, edges } = this.#matrix;
    let min = Infinity;
    let max = -Infinity;
    let edge = 0;
    for (let i = row; i < Math.min(row + span, nodes); i++) {
      const start = this.#order[i]! * nodes;
      for (let k = column; k < Math.min(column + span, nodes); k++) {
        const cell = start + this.#order[k]!;
        const score = scores[cell]!;
        if (score < min) min = score;
        if (score > max) max = score;
        edge |= edges[cell]!;
      }
    }
    return min <= max
      ? packCell(this.#shown(min), this.#shown(max), edge === 1)
      : packCell(min, max, edge === 1);
  }

  #gatherLevel2() {
    const side = Math.ceil(this.#matrix.nodes / 4);
    const cells = new Uint32Array(side * side);
    for (let i = 0; i < side; i++)
      for (let k = 0; k < side; k++) cells[i * side + k] = this.#gather(4 * i, 4 * k, 4);
    return { side, cells };
  }
}

function halve({ side: fine, cells }: { side: number; cells: Uint32Array }) {
  const side = Math.ceil(fine / 2);
  const halved = new Uint32Array(side * side);
  for (let i = 0; i < side; i++) {
    for (let k = 0; k < side; k++) {
      let texel = emptyCell;
      for (const row of [2 * i, 2 * i + 1])
        for (const column of [2 * k, 2 * k + 1])
          if (row < fine && column < fine) texel = joinCells(texel, cells[row * fine + column]!);
      halved[i * side + k] = texel;
    }
  }
  return { side, cells: halved };
}
