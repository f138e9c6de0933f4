import type { GpuContext } from '../gpu/device.ts';
import { TILE } from './webgpu-kernels.ts';

/** Most memory that the stage takes; it is split further where a device binds less. */
const STAGE_BYTES = 256 * 2 ** 20;

/**
 * Rows of the stage: sums are read and written once per so many samples. Twice as many are the most that the integer
 * sums of accumulate-exact.wgsl have room for.
 */
const STAGE_ROWS = 1024;

/** Rows come in multiples of this, so that ranges of them begin where a device can bind. */
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
  /** How matrices of sums are cut where the device does not bind them whole */
  readonly panels: readonly Panel[];
  /** Rows that the stage holds of each of the 2 P quantities */
  readonly stageRows: number;
}

/** Quantities in the stage and in the column sums: x and y of each pair in turn. */
export const quantityOf = {
  x: (pair: number): number => 2 * pair,
  y: (pair: number): number => 2 * pair + 1,
} as const;

/**
 * Fits the matrices of sums (8 bytes an element), the stage, and the digits of one layer pair (three words for each of
 * x and y) to what the device binds.
 *
 * @param most bytes to bind at most, where that is less than the device does
 */
export function layoutOf(
  context: GpuContext,
  nodes: number,
  pairs: number,
  most = Infinity,
): StatisticsLayout {
  const { maxStorageBufferBindingSize, maxBufferSize } = context.device.limits;
  const bytes = Math.min(most, maxStorageBufferBindingSize, maxBufferSize);
  const stride = Math.ceil(nodes / TILE) * TILE;
  const rows = Math.floor(Math.min(STAGE_BYTES, bytes) / (4 * stride * Math.max(2 * pairs, 6) * ROW_STEP));
  const stageRows = Math.max(ROW_STEP, Math.min(STAGE_ROWS, rows * ROW_STEP));
  const panelRows = Math.max(1, Math.floor(bytes / (8 * stride * TILE))) * TILE;
  const panels = Array.from({ length: Math.ceil(stride / panelRows) }, (_, index) => {
    const row = index * panelRows;
    return { index, row, rows: Math.min(panelRows, stride - row) };
  });
  return { nodes, pairs, stride, stageRows, panels };
}

/** The panel that holds a row. */
export function panelOf({ panels }: StatisticsLayout, row: number): Panel {
  return panels[Math.floor(row / panels[0]!.rows)]!;
}

/** Where shaders/shared/sums.wgsl keeps the high word of an element of a panel; its low word is 4 further on. */
export function sumIndex(row: number, column: number, stride: number): number {
  return 2 * (row * stride + (column & ~3)) + (column & 3);
}
