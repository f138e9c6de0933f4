import type { GpuContext } from '../../../gpu/device.ts';
import { TILE } from './statistics-kernels.ts';

/** Most memory of a chunk, so that allocation grows in steps; less if a device binds less. */
const CHUNK_BYTES = 256 * 2 ** 20;

/**
 * Most rows of a chunk: sums are read and written once per chunk. The integer sums of
 * shaders/shared/multiply-exact.wgsl can hold at most twice as many rows.
 */
const CHUNK_ROWS = 1024;

/** Large batches are split at multiples of this, so that pieces begin at offsets that a device can bind. */
export const ROW_STEP = 64;

/** Rows of a matrix of sums that share a buffer. */
export interface Panel {
  readonly index: number;
  /** First row; a multiple of TILE */
  readonly row: number;
  /** Rows, padding included */
  readonly rows: number;
}

/** Sizes that the buffers, the kernels and the readback share. */
export interface StatisticsLayout {
  /** N */
  readonly nodes: number;
  /** P */
  readonly pairs: number;
  /** Columns of every matrix on the GPU: N, rounded up to whole tiles */
  readonly stride: number;
  /** How matrices of sums are cut if the device cannot bind them whole */
  readonly panels: readonly Panel[];
  /** Layer pairs whose sums share a buffer, and whose products are formed by one dispatch: all of them, or one */
  readonly pairsPerBuffer: number;
  /** Rows of magnitudes in a chunk, for each of the 2 P quantities */
  readonly chunkRows: number;
}

/** Index of a quantity in chunks and column sums: x and y of each pair alternate. */
export const quantityOf = {
  x: (pair: number): number => 2 * pair,
  y: (pair: number): number => 2 * pair + 1,
} as const;

/**
 * Fits the matrices of sums (8 bytes an element) and the chunks of rows to what the device binds.
 *
 * @param options.bindingBytes most bytes of a binding, if less than the device's limit
 * @param options.panelBytes most bytes of a panel, for matrices that are never stored whole: then no two pairs' sums
 *   share a buffer
 */
export function layoutOf(
  context: GpuContext,
  nodes: number,
  pairs: number,
  options: { readonly bindingBytes?: number | undefined; readonly panelBytes?: number | undefined } = {},
): StatisticsLayout {
  const { maxStorageBufferBindingSize, maxBufferSize } = context.device.limits;
  const { bindingBytes = Infinity, panelBytes } = options;
  const bytes = Math.min(bindingBytes, maxStorageBufferBindingSize, maxBufferSize);
  const stride = Math.ceil(nodes / TILE) * TILE;
  const pairsPerBuffer = panelBytes === undefined && 8 * stride * stride * pairs <= bytes ? pairs : 1;
  // A chunk has one buffer per group of pairs.
  const planes = Math.min(CHUNK_BYTES / pairs, bytes / pairsPerBuffer) / 2;
  const steps = Math.floor(planes / (4 * stride * ROW_STEP));
  const chunkRows = Math.max(ROW_STEP, Math.min(CHUNK_ROWS, steps * ROW_STEP));
  const panelRows =
    Math.max(1, Math.floor(Math.min(bytes, panelBytes ?? Infinity) / (8 * stride * TILE))) * TILE;
  const panels = Array.from({ length: Math.ceil(stride / panelRows) }, (_, index) => {
    const row = index * panelRows;
    return { index, row, rows: Math.min(panelRows, stride - row) };
  });
  return { nodes, pairs, stride, pairsPerBuffer, chunkRows, panels };
}

/** The panel that holds a row. */
export function panelOf({ panels }: StatisticsLayout, row: number): Panel {
  return panels[Math.floor(row / panels[0]!.rows)]!;
}

/** Index of the high word of a panel's element (see shaders/shared/sums.wgsl); its low word is 4 further on. */
export function sumIndex(row: number, column: number, stride: number): number {
  return 2 * (row * stride + (column & ~3)) + (column & 3);
}
