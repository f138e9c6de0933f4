import centreExact from '../../../../shaders/centre-exact.wgsl?raw';
import centreFast from '../../../../shaders/centre-fast.wgsl?raw';
import gatherColumns from '../../../../shaders/gather-columns.wgsl?raw';
import gatherSums from '../../../../shaders/gather-sums.wgsl?raw';
import magnitudes from '../../../../shaders/magnitudes.wgsl?raw';
import pivots from '../../../../shaders/pivots.wgsl?raw';
import rangeCheck from '../../../../shaders/range-check.wgsl?raw';
import centre from '../../../../shaders/shared/centre.wgsl?raw';
import dispatch from '../../../../shaders/shared/dispatch.wgsl?raw';
import extended from '../../../../shaders/shared/extended.wgsl?raw';
import refusal from '../../../../shaders/shared/refusal.wgsl?raw';
import sums from '../../../../shaders/shared/sums.wgsl?raw';
import type { KernelDefinition } from '../../../gpu/kernel.ts';
import type { Precision } from '../../engine.ts';

/** Columns of a tile of sums; `TILE` of shaders/shared/sums.wgsl. */
export const TILE = 8;

/** Threads of a workgroup, in every kernel here. */
export const WORKGROUP = 64;

export type { Precision };

/** Channel values -> magnitudes in a chunk of stored rows. Override `REDUCTION`: see {@link reductionCode}. */
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
    chunk_offset: 'u32',
    zero: 'u32',
  },
  buffers: {
    channel_values: 'read',
    group_offsets: 'read',
    group_channels: 'read',
    chunk: 'read-write',
    refusal: 'read-write',
  },
} as const satisfies KernelDefinition;

/** `REDUCTION` of magnitudes.wgsl. */
export const reductionCode = { none: 0, l1: 1, l2: 2 } as const;

/** The first range of stored rows -> pivots (column means) and scales. */
export const pivotsKernel = {
  label: 'pivots.wgsl',
  sources: [extended, refusal, pivots],
  params: {
    rows: 'u32',
    stride: 'u32',
    first_batch: 'u32',
    end_batch: 'u32',
    chunk_rows: 'u32',
    quantity: 'u32',
    zero: 'u32',
  },
  buffers: { chunk: 'read', refusal: 'read', pivots: 'read-write' },
} as const satisfies KernelDefinition;

/** Stored rows -> the largest deviation of each column. */
export const rangeCheckKernel = {
  label: 'range-check.wgsl',
  sources: [refusal, rangeCheck],
  params: {
    rows: 'u32',
    first_row: 'u32',
    first_batch: 'u32',
    end_batch: 'u32',
    stride: 'u32',
    chunk_rows: 'u32',
    quantity: 'u32',
  },
  buffers: { refusal: 'read', pivots: 'read', chunk: 'read', largest: 'read-write' },
} as const satisfies KernelDefinition;

const centreInterface = {
  params: {
    rows: 'u32',
    first_row: 'u32',
    first_batch: 'u32',
    end_batch: 'u32',
    stride: 'u32',
    chunk_rows: 'u32',
    quantity: 'u32',
    count: 'u32',
    zero: 'u32',
  },
  buffers: {
    refusal: 'read',
    pivots: 'read',
    chunk: 'read',
    values: 'read-write',
    exponents: 'read-write',
    column_sums: 'read-write',
  },
} as const;

/** A range of stored rows -> centred values for products, and their column sums. */
export const centreKernels = {
  fast: { label: 'centre-fast.wgsl', sources: [extended, refusal, centreFast, centre], ...centreInterface },
  exact: {
    label: 'centre-exact.wgsl',
    sources: [extended, refusal, centreExact, centre],
    ...centreInterface,
  },
} as const satisfies Record<Precision, KernelDefinition>;

/** Values of x -> those of listed columns. */
export const gatherColumnsKernel = {
  label: 'gather-columns.wgsl',
  sources: [dispatch, gatherColumns],
  params: { rows: 'u32', stride: 'u32', count: 'u32', width: 'u32' },
  buffers: {
    columns: 'read',
    values: 'read',
    exponents: 'read',
    listed_values: 'read-write',
    listed_exponents: 'read-write',
  },
} as const satisfies KernelDefinition;

/** X^T X -> listed rows of it. */
export const gatherSumsKernel = {
  label: 'gather-sums.wgsl',
  sources: [dispatch, sums, gatherSums],
  params: {
    lines: 'u32',
    stride: 'u32',
    width: 'u32',
    panel_row: 'u32',
    panel_rows: 'u32',
    whole: 'u32',
  },
  buffers: { lines: 'read', sum_xx: 'read', gathered: 'read-write' },
} as const satisfies KernelDefinition;

/** In a list of sources, stands for the diagonal of X^T X; `DIAGONAL` of gather-sums.wgsl. */
export const DIAGONAL = 0xffff_ffff;
