import accumulateExact from '../../shaders/accumulate-exact.wgsl?raw';
import accumulateFast from '../../shaders/accumulate-fast.wgsl?raw';
import deviations from '../../shaders/deviations.wgsl?raw';
import digits from '../../shaders/digits.wgsl?raw';
import gatherSums from '../../shaders/gather-sums.wgsl?raw';
import magnitudes from '../../shaders/magnitudes.wgsl?raw';
import pivots from '../../shaders/pivots.wgsl?raw';
import blocks from '../../shaders/shared/blocks.wgsl?raw';
import dispatch from '../../shaders/shared/dispatch.wgsl?raw';
import extended from '../../shaders/shared/extended.wgsl?raw';
import refusal from '../../shaders/shared/refusal.wgsl?raw';
import sums from '../../shaders/shared/sums.wgsl?raw';
import type { KernelDefinition } from '../gpu/kernel.ts';

/** Columns of a tile of sums; `TILE` of shaders/shared/sums.wgsl. */
export const TILE = 8;

/** Threads of a workgroup, in every kernel here. */
export const WORKGROUP = 64;

/**
 * How products are summed. `fast`: float32 over short chunks of rows. `exact`: digits whose products and sums are
 * integers that float32 holds exactly, at eight multiplications for one.
 */
export type Precision = 'fast' | 'exact';

/** Rows whose products are summed in float32 before they join the (high, low) pairs, in precision 'fast'. */
export const CHUNK = 32;

/** Norms of channel groups -> magnitudes in the stage. Override `REDUCTION`: see {@link reductionCode}. */
export const magnitudesKernel = {
  label: 'magnitudes.wgsl',
  sources: [extended, dispatch, magnitudes],
  params: {
    rows: 'u32',
    channels: 'u32',
    nodes: 'u32',
    stride: 'u32',
    batch: 'u32',
    quantity: 'u32',
    first_row: 'u32',
    batch_row: 'u32',
    stage_offset: 'u32',
    zero: 'u32',
  },
  buffers: {
    channel_values: 'read',
    group_offsets: 'read',
    group_channels: 'read',
    stage: 'read-write',
    refusal: 'read-write',
  },
} as const satisfies KernelDefinition;

/** `REDUCTION` of magnitudes.wgsl. */
export const reductionCode = { none: 0, l1: 1, l2: 2 } as const;

/** Column means of the staged rows -> pivots and scales. */
export const pivotsKernel = {
  label: 'pivots.wgsl',
  sources: [extended, refusal, pivots],
  params: { rows: 'u32', stride: 'u32', first_batch: 'u32', stage_rows: 'u32', zero: 'u32' },
  buffers: { stage: 'read', refusal: 'read', pivots: 'read-write' },
} as const satisfies KernelDefinition;

/** Magnitudes in the stage -> deviations in their place, and their column sums. Precision 'fast'. */
export const deviationsKernel = {
  label: 'deviations.wgsl',
  sources: [extended, refusal, deviations],
  params: { rows: 'u32', stride: 'u32', first_batch: 'u32', stage_rows: 'u32', zero: 'u32' },
  buffers: { refusal: 'read', pivots: 'read', stage: 'read-write', column_sums: 'read-write' },
} as const satisfies KernelDefinition;

const blockParams = {
  rows: 'u32',
  stride: 'u32',
  first_batch: 'u32',
  panel_row: 'u32',
  first_block: 'u32',
  end_block: 'u32',
} as const;

/** Staged deviations of one layer pair -> sums of products. Precision 'fast'. */
export const accumulateFastKernel = {
  label: 'accumulate-fast.wgsl',
  sources: [extended, dispatch, refusal, sums, blocks, accumulateFast],
  params: { ...blockParams, x_offset: 'u32', y_offset: 'u32', zero: 'u32' },
  buffers: { stage: 'read', refusal: 'read', sum_xy: 'read-write', sum_xx: 'read-write' },
} as const satisfies KernelDefinition;

/** Magnitudes in the stage -> digits of one layer pair's deviations, and their column sums. Precision 'exact'. */
export const digitsKernel = {
  label: 'digits.wgsl',
  sources: [extended, refusal, digits],
  params: {
    rows: 'u32',
    stride: 'u32',
    first_batch: 'u32',
    stage_rows: 'u32',
    quantity: 'u32',
    zero: 'u32',
  },
  buffers: {
    refusal: 'read',
    pivots: 'read',
    stage: 'read',
    digits: 'read-write',
    exponents: 'read-write',
    column_sums: 'read-write',
  },
} as const satisfies KernelDefinition;

/** Digits of one layer pair -> sums of products. Precision 'exact'. */
export const accumulateExactKernel = {
  label: 'accumulate-exact.wgsl',
  sources: [extended, dispatch, refusal, sums, blocks, accumulateExact],
  params: { ...blockParams, stage_rows: 'u32', zero: 'u32' },
  buffers: {
    digits: 'read',
    exponents: 'read',
    refusal: 'read',
    sum_xy: 'read-write',
    sum_xx: 'read-write',
  },
} as const satisfies KernelDefinition;

/** X^T X -> lines of it. */
export const gatherSumsKernel = {
  label: 'gather-sums.wgsl',
  sources: [dispatch, sums, gatherSums],
  params: { lines: 'u32', stride: 'u32', panel_row: 'u32', panel_rows: 'u32' },
  buffers: { lines: 'read', sum_xx: 'read', gathered: 'read-write' },
} as const satisfies KernelDefinition;

/** In a list of sources: the diagonal of X^T X in place of a source's row; `DIAGONAL` of gather-sums.wgsl. */
export const DIAGONAL = 0xffff_ffff;
