import type { Matrix } from './panels.ts';
import type { ChannelSystem, RowBlocks } from './system.ts';

type Range = readonly [first: number, end: number];

/** A matrix, in WebAssembly memory or not. */
type AnyMatrix = Pick<Matrix, 'values' | 'stride'>;

/** Which row of U belongs to each row of F, per segment; undefined for its own. */
export type RowOrder = readonly Uint32Array[] | undefined;

/** Finds the observations of a segment in its blocks. */
class RowFinder {
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

/** Rows of F and U of a regression, segment after segment. */
export class ObservationRows {
  readonly #system: ChannelSystem;
  readonly #parts: readonly { readonly first: number; readonly x: RowFinder; readonly u: RowFinder }[];

  constructor(system: ChannelSystem) {
    this.#system = system;
    let first = 0;
    this.#parts = system.segments.map(({ x, u }) => {
      const part = { first, x: new RowFinder(x, system.channels), u: new RowFinder(u, system.channels) };
      first += part.x.rows;
      return part;
    });
  }

  /** Writes rows `first .. end` of F, or of some of its columns, centred and scaled, to the first rows of a matrix. */
  standardized([first, end]: Range, { values, stride }: AnyMatrix, columns?: Range): void {
    const { sources, segments } = this.#system;
    const channels = sources.channels.subarray(...(columns ?? []));
    this.#parts.forEach((part, s) => {
      const shift = segments[s]!.shift.subarray(...(columns ?? []));
      const scale = segments[s]!.scale.subarray(...(columns ?? []));
      for (let row = Math.max(first, part.first); row < Math.min(end, part.first + part.x.rows); row++) {
        const { block, at } = part.x.find(row - part.first);
        standardizeRow({ block, at }, { channels, shift, scale }, values, (row - first) * stride);
      }
    });
  }

  /** Writes rows of some columns of U, scaled, to the first rows of a matrix. */
  scaledTargets(
    [first, end]: Range,
    [firstColumn, endColumn]: Range,
    order: RowOrder,
    { values, stride }: AnyMatrix,
  ): void {
    const { targets, targetScale } = this.#system;
    const channels = targets.channels.subarray(firstColumn, endColumn);
    const scale = targetScale.subarray(firstColumn, endColumn);
    this.#parts.forEach((part, s) => {
      const own = order?.[s];
      for (let row = Math.max(first, part.first); row < Math.min(end, part.first + part.u.rows); row++) {
        const { block, at } = part.u.find(own === undefined ? row - part.first : own[row - part.first]!);
        const to = (row - first) * stride;
        for (let c = 0; c < channels.length; c++) values[to + c] = block[at + channels[c]!]! * scale[c]!;
      }
    });
  }
}

function standardizeRow(
  { block, at: row }: { readonly block: Float32Array; readonly at: number },
  {
    channels,
    shift,
    scale,
  }: { readonly channels: Uint32Array; readonly shift: Float64Array; readonly scale: Float64Array },
  out: Float32Array,
  at: number,
): void {
  const columns = channels.length;
  for (let c = 0; c < columns; c++) out[at + c] = (block[row + channels[c]!]! - shift[c]!) * scale[c]!;
}
