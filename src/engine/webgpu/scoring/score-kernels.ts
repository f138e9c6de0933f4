import aggregate from '../../../../shaders/aggregate.wgsl?raw';
import countMissing from '../../../../shaders/count-missing.wgsl?raw';
import collectBins from '../../../../shaders/collect-bins.wgsl?raw';
import countBins from '../../../../shaders/count-bins.wgsl?raw';
import gatherScores from '../../../../shaders/gather-scores.wgsl?raw';
import bins from '../../../../shaders/shared/bins.wgsl?raw';
import moments from '../../../../shaders/moments.wgsl?raw';
import pearson from '../../../../shaders/pearson.wgsl?raw';
import dispatch from '../../../../shaders/shared/dispatch.wgsl?raw';
import extended from '../../../../shaders/shared/extended.wgsl?raw';
import momentParts from '../../../../shaders/shared/moments.wgsl?raw';
import sums from '../../../../shaders/shared/sums.wgsl?raw';
import type { KernelDefinition } from '../../../gpu/kernel.ts';

/** Threads of a workgroup, in every kernel here. */
export const WORKGROUP = 64;

const shared = [extended, dispatch, sums, momentParts];
const inverseCount = { inverse_count_high: 'f32', inverse_count_low: 'f32' } as const;

/** Column sums -> means, variances and units of one layer pair. Override `FROM_DIAGONAL`: 1 if X^T X is used. */
export const momentsKernel = {
  label: 'moments.wgsl',
  sources: [...shared, moments],
  params: {
    stride: 'u32',
    quantity_x: 'u32',
    quantity_y: 'u32',
    ...inverseCount,
    has_floor: 'u32',
    floor_high: 'f32',
    floor_low: 'f32',
    floor_exponent: 'i32',
    zero: 'u32',
  },
  buffers: {
    pivots: 'read',
    column_sums: 'read',
    diagonal: 'read',
    moments: 'read-write',
    constants: 'read-write',
  },
} as const satisfies KernelDefinition;

/** Sums -> Pearson correlations of one layer pair. */
export const pearsonKernel = {
  label: 'pearson.wgsl',
  sources: [...shared, pearson],
  params: {
    nodes: 'u32',
    stride: 'u32',
    panel_row: 'u32',
    first_row: 'u32',
    end_row: 'u32',
    ...inverseCount,
    zero: 'u32',
  },
  buffers: { moments: 'read', sum_xy: 'read', scores: 'read-write' },
} as const satisfies KernelDefinition;

/** Scores of one layer pair -> the running aggregate. Override `LARGEST`: 0 for the mean, 1 for 'max'. */
export const aggregateKernel = {
  label: 'aggregate.wgsl',
  sources: [...shared, aggregate],
  params: { first_element: 'u32', end_element: 'u32', first: 'u32', last: 'u32', zero: 'u32' },
  buffers: { scores: 'read', aggregate: 'read-write', counts: 'read-write' },
} as const satisfies KernelDefinition;

const binned = { nodes: 'u32', panel_row: 'u32', elements: 'u32', thresholds: 'u32' } as const;
const binnedScores = { scores: 'read', classes: 'read', thresholds: 'read' } as const;

/** Aggregated scores -> counts per bin. */
export const countBinsKernel = {
  label: 'count-bins.wgsl',
  sources: [dispatch, bins, countBins],
  params: binned,
  buffers: { ...binnedScores, counts: 'read-write' },
} as const satisfies KernelDefinition;

/** Aggregated scores -> counts of missing ones per target. */
export const countMissingKernel = {
  label: 'count-missing.wgsl',
  sources: [dispatch, countMissing],
  params: { nodes: 'u32', panel_row: 'u32', elements: 'u32' },
  buffers: { scores: 'read', sources: 'read', counts: 'read-write' },
} as const satisfies KernelDefinition;

/** Aggregated scores -> those in wanted bins. */
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
  buffers: { pair_indices: 'read', scores: 'read', gathered: 'read-write' },
} as const satisfies KernelDefinition;
