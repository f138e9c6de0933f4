import aggregate from '../../shaders/aggregate.wgsl?raw';
import collectBins from '../../shaders/collect-bins.wgsl?raw';
import countBins from '../../shaders/count-bins.wgsl?raw';
import gatherScores from '../../shaders/gather-scores.wgsl?raw';
import bins from '../../shaders/shared/bins.wgsl?raw';
import choleskyThread from '../../shaders/cholesky-thread.wgsl?raw';
import choleskyWorkgroup from '../../shaders/cholesky-workgroup.wgsl?raw';
import covarianceRows from '../../shaders/covariance-rows.wgsl?raw';
import moments from '../../shaders/moments.wgsl?raw';
import partial from '../../shaders/partial.wgsl?raw';
import pearson from '../../shaders/pearson.wgsl?raw';
import cholesky from '../../shaders/shared/cholesky.wgsl?raw';
import dispatch from '../../shaders/shared/dispatch.wgsl?raw';
import extended from '../../shaders/shared/extended.wgsl?raw';
import factorPacked from '../../shaders/shared/factor-packed.wgsl?raw';
import factorPrivate from '../../shaders/shared/factor-private.wgsl?raw';
import factorStored from '../../shaders/shared/factor-stored.wgsl?raw';
import factorWorkgroup from '../../shaders/shared/factor-workgroup.wgsl?raw';
import momentParts from '../../shaders/shared/moments.wgsl?raw';
import solutionPrivate from '../../shaders/shared/solution-private.wgsl?raw';
import solutionStored from '../../shaders/shared/solution-stored.wgsl?raw';
import sums from '../../shaders/shared/sums.wgsl?raw';
import targets from '../../shaders/shared/targets.wgsl?raw';
import targetCovariances from '../../shaders/target-covariances.wgsl?raw';
import type { KernelDefinition } from '../gpu/kernel.ts';

/** Threads of a workgroup, in every kernel here. */
export const WORKGROUP = 64;

/** Largest conditioning set whose substitution stays with its thread; `PRIVATE_SET` of solution-private.wgsl. */
export const PRIVATE_SET = 32;

/** Largest conditioning set that one thread factors; `THREAD_SET` of factor-private.wgsl. */
export const THREAD_SET = 16;

/** Largest conditioning set whose factor has room in a workgroup's memory; `WORKGROUP_SET` of factor-workgroup.wgsl. */
export const WORKGROUP_SET = 60;

const shared = [extended, dispatch, sums, momentParts];
const inverseCount = { inverse_count_high: 'f32', inverse_count_low: 'f32' } as const;

/** Column sums -> means, variances and units of one layer pair. Override `FROM_DIAGONAL`: 1 where X^T X is used. */
export const momentsKernel = {
  label: 'moments.wgsl',
  sources: [...shared, moments],
  params: {
    stride: 'u32',
    quantity_x: 'u32',
    quantity_y: 'u32',
    ...inverseCount,
    zero: 'u32',
  },
  buffers: { pivots: 'read', column_sums: 'read', diagonal: 'read', moments: 'read-write' },
} as const satisfies KernelDefinition;

/** Sums -> Pearson correlations of one layer pair. */
export const pearsonKernel = {
  label: 'pearson.wgsl',
  sources: [...shared, pearson],
  params: { nodes: 'u32', stride: 'u32', panel_row: 'u32', panel_rows: 'u32', ...inverseCount, zero: 'u32' },
  buffers: { moments: 'read', sum_xy: 'read', scores: 'read-write' },
} as const satisfies KernelDefinition;

/** Lines of X^T X -> rows of S_xx for the members of conditioning sets, in their place. */
export const covarianceRowsKernel = {
  label: 'covariance-rows.wgsl',
  sources: [...shared, covarianceRows],
  params: { rows: 'u32', stride: 'u32', ...inverseCount, zero: 'u32' },
  buffers: { row_sources: 'read', moments: 'read', covariance_rows: 'read-write' },
} as const satisfies KernelDefinition;

/** Sums -> S_xy[S, j] of a block of targets. */
export const targetCovariancesKernel = {
  label: 'target-covariances.wgsl',
  sources: [...shared, targets, targetCovariances],
  params: { stride: 'u32', panel_row: 'u32', targets: 'u32', ...inverseCount, zero: 'u32' },
  buffers: { plan: 'read', moments: 'read', sum_xy: 'read', target_covariances: 'read-write' },
} as const satisfies KernelDefinition;

const choleskyParams = {
  nodes: 'u32',
  stride: 'u32',
  outcome_offset: 'u32',
  ridge_high: 'f32',
  ridge_low: 'f32',
  targets: 'u32',
  zero: 'u32',
} as const;

const choleskyBuffers = {
  plan: 'read',
  moments: 'read',
  covariance_rows: 'read',
  target_covariances: 'read',
  factors: 'read-write',
  outcome: 'read-write',
} as const;

/** Rows of S_xx -> Cholesky factors, one thread each, for conditioning sets of at most {@link THREAD_SET}. */
export const choleskyThreadKernel = {
  label: 'cholesky-thread.wgsl',
  sources: [...shared, targets, cholesky, factorPacked, factorPrivate, choleskyThread],
  params: choleskyParams,
  buffers: choleskyBuffers,
} as const satisfies KernelDefinition;

/** Likewise, one workgroup each and in its memory, for conditioning sets of at most {@link WORKGROUP_SET}. */
export const choleskyWorkgroupKernel = {
  label: 'cholesky-workgroup.wgsl',
  sources: [...shared, targets, cholesky, factorPacked, factorWorkgroup, choleskyWorkgroup],
  params: choleskyParams,
  buffers: choleskyBuffers,
} as const satisfies KernelDefinition;

/** Likewise, one workgroup each and in storage, for conditioning sets of any size. */
export const choleskyStoredKernel = {
  label: 'cholesky-workgroup.wgsl',
  sources: [...shared, targets, cholesky, factorStored, choleskyWorkgroup],
  params: choleskyParams,
  buffers: choleskyBuffers,
} as const satisfies KernelDefinition;

const partialParams = {
  nodes: 'u32',
  stride: 'u32',
  panel_row: 'u32',
  outcome_offset: 'u32',
  ...inverseCount,
  first_target: 'u32',
  end_target: 'u32',
  largest_set: 'u32',
  zero: 'u32',
} as const;

const partialBuffers = {
  plan: 'read',
  moments: 'read',
  covariance_rows: 'read',
  sum_xy: 'read',
  factors: 'read',
  outcome: 'read-write',
  scores: 'read-write',
} as const;

/** Factors -> partial correlations, for conditioning sets of at most {@link PRIVATE_SET}. */
export const partialPrivateKernel = {
  label: 'partial.wgsl',
  sources: [...shared, targets, solutionPrivate, partial],
  params: partialParams,
  buffers: partialBuffers,
} as const satisfies KernelDefinition;

/** Factors -> partial correlations, for conditioning sets of any size. */
export const partialStoredKernel = {
  label: 'partial.wgsl',
  sources: [...shared, targets, solutionStored, partial],
  params: partialParams,
  buffers: { ...partialBuffers, solutions: 'read-write' },
} as const satisfies KernelDefinition;

/** Scores of one layer pair -> the running aggregate. Override `LARGEST`: 0 for the mean, 1 for 'max'. */
export const aggregateKernel = {
  label: 'aggregate.wgsl',
  sources: [...shared, aggregate],
  params: { elements: 'u32', first: 'u32', last: 'u32', zero: 'u32' },
  buffers: { scores: 'read', aggregate: 'read-write', counts: 'read-write' },
} as const satisfies KernelDefinition;

const binned = { nodes: 'u32', panel_row: 'u32', elements: 'u32', thresholds: 'u32' } as const;
const binnedScores = { scores: 'read', classes: 'read', thresholds: 'read' } as const;

/** Aggregated scores -> how many each bin has. */
export const countBinsKernel = {
  label: 'count-bins.wgsl',
  sources: [dispatch, bins, countBins],
  params: binned,
  buffers: { ...binnedScores, counts: 'read-write' },
} as const satisfies KernelDefinition;

/** Aggregated scores -> those of some bins. */
export const collectBinsKernel = {
  label: 'collect-bins.wgsl',
  sources: [dispatch, bins, collectBins],
  params: { ...binned, most: 'u32' },
  buffers: { ...binnedScores, wanted: 'read', found: 'read-write', collected: 'read-write' },
} as const satisfies KernelDefinition;

/** Score matrix -> the scores of listed pairs. */
export const gatherScoresKernel = {
  label: 'gather-scores.wgsl',
  sources: [dispatch, gatherScores],
  params: { nodes: 'u32', panel_row: 'u32', panel_rows: 'u32', count: 'u32' },
  buffers: { elements: 'read', scores: 'read', gathered: 'read-write' },
} as const satisfies KernelDefinition;

/** Bits of a target's word in `outcome`, as in shaders/shared/targets.wgsl. */
export const UNSETTLED = 2;
