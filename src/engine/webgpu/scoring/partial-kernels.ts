import choleskyPanel from '../../../../shaders/cholesky-panel.wgsl?raw';
import choleskyThread from '../../../../shaders/cholesky-thread.wgsl?raw';
import choleskyUpdate from '../../../../shaders/cholesky-update.wgsl?raw';
import choleskyWorkgroup from '../../../../shaders/cholesky-workgroup.wgsl?raw';
import covarianceRows from '../../../../shaders/covariance-rows.wgsl?raw';
import partialUpdate from '../../../../shaders/partial-update.wgsl?raw';
import partial from '../../../../shaders/partial.wgsl?raw';
import cholesky from '../../../../shaders/shared/cholesky.wgsl?raw';
import dispatch from '../../../../shaders/shared/dispatch.wgsl?raw';
import extendedFour from '../../../../shaders/shared/extended-four.wgsl?raw';
import extended from '../../../../shaders/shared/extended.wgsl?raw';
import momentParts from '../../../../shaders/shared/moments.wgsl?raw';
import solutions from '../../../../shaders/shared/solutions.wgsl?raw';
import sums from '../../../../shaders/shared/sums.wgsl?raw';
import targets from '../../../../shaders/shared/targets.wgsl?raw';
import systems from '../../../../shaders/systems.wgsl?raw';
import type { KernelDefinition } from '../../../gpu/kernel.ts';

/** Members per panel of the forward substitution; `PANEL` of shared/solutions.wgsl. */
export const PANEL = 32;

/** Places (of four sources each) and members per workgroup of partial-update.wgsl. */
export const UPDATE_PLACES = 16;
export const UPDATE_MEMBERS = 16;

/** Largest conditioning set that one thread factors; `THREAD_SET` of cholesky-thread.wgsl. */
export const THREAD_SET = 16;

/** Largest conditioning set whose factor fits a workgroup's memory; `WORKGROUP_SET` of cholesky-workgroup.wgsl. */
export const WORKGROUP_SET = 60;

/** Threads across and down a workgroup of cholesky-update.wgsl. */
export const SIDE = 8;

/** Flag in a target's word of `outcome`: the host recomputes it in float64; see shaders/shared/targets.wgsl. */
export const NEEDS_FLOAT64 = 1;

const shared = [extended, dispatch, sums, momentParts];
const inverseCount = { inverse_count_high: 'f32', inverse_count_low: 'f32' } as const;

/** Rows of X^T X -> rows of S_xx for the members of conditioning sets, in place. */
export const covarianceRowsKernel = {
  label: 'covariance-rows.wgsl',
  sources: [...shared, covarianceRows],
  params: { first_row: 'u32', end_row: 'u32', stride: 'u32', ...inverseCount, zero: 'u32' },
  buffers: { row_sources: 'read', moments: 'read', covariance_rows: 'read-write' },
} as const satisfies KernelDefinition;

/** Rows of S_xx and sums -> the linear systems of a block of targets, stored where their factors will be. */
export const systemsKernel = {
  label: 'systems.wgsl',
  sources: [...shared, targets, systems],
  params: {
    stride: 'u32',
    panel_row: 'u32',
    targets: 'u32',
    first_target: 'u32',
    ridge_high: 'f32',
    ridge_low: 'f32',
    ...inverseCount,
    zero: 'u32',
  },
  buffers: {
    plan: 'read',
    moments: 'read',
    covariance_rows: 'read',
    sum_xy: 'read',
    factors: 'read-write',
    diagonals: 'read-write',
  },
} as const satisfies KernelDefinition;

const choleskyBuffers = {
  plan: 'read',
  diagonals: 'read',
  factors: 'read-write',
  outcome: 'read-write',
} as const;

/** Systems -> Cholesky factors, one thread each, for conditioning sets of at most {@link THREAD_SET} members. */
export const choleskyThreadKernel = {
  label: 'cholesky-thread.wgsl',
  sources: [extended, targets, cholesky, choleskyThread],
  params: { outcome_offset: 'u32', targets: 'u32', zero: 'u32' },
  buffers: choleskyBuffers,
} as const satisfies KernelDefinition;

/** Likewise for at most {@link WORKGROUP_SET} columns, one workgroup each. */
export const choleskyWorkgroupKernel = {
  label: 'cholesky-workgroup.wgsl',
  sources: [extended, dispatch, targets, cholesky, choleskyWorkgroup],
  params: { outcome_offset: 'u32', targets: 'u32', first_column: 'u32', columns: 'u32', zero: 'u32' },
  buffers: choleskyBuffers,
} as const satisfies KernelDefinition;

/** Finished columns of a tile on the diagonal -> the same columns in the rows below it. */
export const choleskyPanelKernel = {
  label: 'cholesky-panel.wgsl',
  sources: [extended, targets, choleskyPanel],
  params: { first_target: 'u32', first_column: 'u32', columns: 'u32', zero: 'u32' },
  buffers: { plan: 'read', factors: 'read-write' },
} as const satisfies KernelDefinition;

/** Finished columns -> trailing update of the columns to their right. */
export const choleskyUpdateKernel = {
  label: 'cholesky-update.wgsl',
  sources: [extended, extendedFour, targets, choleskyUpdate],
  params: { first_target: 'u32', first_column: 'u32', columns: 'u32', first_line: 'u32', zero: 'u32' },
  buffers: { plan: 'read', factors: 'read-write' },
} as const satisfies KernelDefinition;

const partialParams = {
  nodes: 'u32',
  stride: 'u32',
  panel_row: 'u32',
  outcome_offset: 'u32',
  ...inverseCount,
  first_target: 'u32',
  first_source: 'u32',
  quarter: 'u32',
  first_place: 'u32',
  rows: 'u32',
  first_member: 'u32',
  zero: 'u32',
} as const;

const partialBuffers = {
  plan: 'read',
  covariance_rows: 'read',
  factors: 'read',
  solutions: 'read-write',
} as const;

/** Rows of S_xx -> entries of a panel of members, after elimination of the members before it. */
export const partialUpdateKernel = {
  label: 'partial-update.wgsl',
  sources: [extended, extendedFour, targets, solutions, partialUpdate],
  params: partialParams,
  buffers: partialBuffers,
} as const satisfies KernelDefinition;

/** Factors -> forward substitutions through a panel of members and, after the last, partial correlations. */
export const partialKernel = {
  label: 'partial.wgsl',
  sources: [...shared, extendedFour, targets, solutions, partial],
  params: partialParams,
  buffers: {
    ...partialBuffers,
    moments: 'read',
    sum_xy: 'read',
    outcome: 'read-write',
    scores: 'read-write',
  },
} as const satisfies KernelDefinition;
