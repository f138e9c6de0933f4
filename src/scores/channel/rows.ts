import type { Matrix } from './panels.ts';
import type { ChannelSystem, Columns, RowBlocks, Segment } from './system.ts';

/** The observations of a segment as they lie in its blocks, in their own order or another one. */
export class RowFinder {
  readonly rows: number;
  readonly #blocks: RowBlocks;
  readonly #channels: number;
  readonly #starts: number[];

  constructor(blocks: RowBlocks, channels: number) {
    this.#blocks = blocks;
    this.#channels = channels;
    this.#starts = [0];
    for (const { length } of blocks) this.#starts.push(this.#starts.at(-1)! + length / channels);
    this.rows = this.#starts.at(-1)!;
  }

  /** Where a row begins. */
  find(row: number): { block: Float32Array; at: number } {
    let [low, high] = [0, this.#blocks.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#starts[middle]! <= row) low = middle;
      else high = middle - 1;
    }
    return { block: this.#blocks[low]!, at: (row - this.#starts[low]!) * this.#channels };
  }
}

/** F: the source columns of all observations, centred and scaled: `[observations, columns]`. */
export function standardizedSources({ sources, segments, observations, channels }: ChannelSystem): Matrix {
  const stride = sources.channels.length;
  const values = new Float32Array(observations * stride);
  let at = 0;
  for (const { x, shift, scale } of segments) {
    for (const block of x) {
      for (let row = 0; row < block.length; row += channels, at += stride) {
        standardizeRow(block, row, sources.channels, shift, scale, values, at);
      }
    }
  }
  return { values, stride };
}

function standardizeRow(
  block: Float32Array,
  row: number,
  channels: Uint32Array,
  shift: Float64Array,
  scale: Float64Array,
  out: Float32Array,
  at: number,
): void {
  const columns = channels.length;
  for (let c = 0; c < columns; c++) out[at + c] = (block[row + channels[c]!]! - shift[c]!) * scale[c]!;
}

/**
 * Target columns `first .. end` of some rows of a segment, scaled.
 *
 * @param order which row of U belongs to each row of F; undefined for its own
 * @param out receives `[endRow - firstRow, end - first]`
 */
export function scaledTargets(
  finder: RowFinder,
  { channels }: Columns,
  scale: Float64Array,
  [firstRow, endRow]: readonly [number, number],
  [first, end]: readonly [number, number],
  order: Uint32Array | undefined,
  out: Float32Array,
): void {
  const width = end - first;
  for (let row = firstRow, to = 0; row < endRow; row++, to += width) {
    const { block, at } = finder.find(order === undefined ? row : order[row]!);
    for (let c = 0; c < width; c++) out[to + c] = block[at + channels[first + c]!]! * scale[first + c]!;
  }
}

/** Samples of a segment. */
export function samplesOf({ x }: Segment, channels: number): number {
  return x.reduce((sum, { length }) => sum + length / channels, 0);
}
