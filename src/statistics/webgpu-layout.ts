import type { GpuContext } from '../gpu/device.ts';
import { TILE } from './webgpu-kernels.ts';

/** Most memory that the stage takes; it is split further where a device binds less. */
const STAGE_BYTES = 256 * 2 ** 20;

/** Rows of the stage: sums are read and written once per so many samples. */
const STAGE_ROWS = 1024;

/** Rows come in multiples of this, so that ranges of them begin where a device can bind. */
export const ROW_STEP = 64;

/** Sizes that the buffers, the kernels and the readback share. */
export interface StatisticsLayout {
  /** N */
  readonly nodes: number;
  /** P */
  readonly pairs: number;
  /** Columns of every matrix on the GPU: N, rounded up to whole tiles */
  readonly stride: number;
  /** Rows that the stage holds of each of the 2 P quantities */
  readonly stageRows: number;
}

/** Quantities in the stage and in the column sums: x and y of each pair in turn. */
export const quantityOf = {
  x: (pair: number): number => 2 * pair,
  y: (pair: number): number => 2 * pair + 1,
} as const;

/** Fits the stage, and the digits of one layer pair (three words for each of x and y), to the device. */
export function layoutOf(context: GpuContext, nodes: number, pairs: number): StatisticsLayout {
  const stride = Math.ceil(nodes / TILE) * TILE;
  const bytes = Math.min(STAGE_BYTES, context.device.limits.maxStorageBufferBindingSize);
  const rows = Math.floor(bytes / (4 * stride * Math.max(2 * pairs, 6) * ROW_STEP)) * ROW_STEP;
  return { nodes, pairs, stride, stageRows: Math.max(ROW_STEP, Math.min(STAGE_ROWS, rows)) };
}

/** Where shaders/shared/sums.wgsl keeps the high word of an element; its low word is 4 further on. */
export function sumIndex(row: number, column: number, stride: number): number {
  return 2 * (row * stride + (column & ~3)) + (column & 3);
}
