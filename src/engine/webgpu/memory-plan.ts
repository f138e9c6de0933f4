import type { GpuContext } from '../../gpu/device.ts';
import type { StatisticsLayout } from './statistics/layout.ts';
import type { MatrixPlan } from './statistics/gpu-sums.ts';

/** Default limit on an engine's memory; no interface reports how much a device has. */
const MEMORY_BYTES = { hardware: 4 * 2 ** 30, software: 2 ** 30 };

/** Most bytes of a panel if whole matrices do not fit. */
export const PANEL_BYTES = 256 * 2 ** 20;

/** What the engine stores: rows of magnitudes, or matrices of sums. */
export interface MemoryPlan {
  /** Whether matrices of products are stored once formed */
  readonly matrices: MatrixPlan;
  /** Chunks of magnitudes that are stored before they must be absorbed into stored matrices */
  chunks(layout: StatisticsLayout): number;
  /** A sentence for diagnostics */
  explain(layout: StatisticsLayout): string;
}

/**
 * Chooses by cost. Products are formed on demand as long as the magnitudes stored for that take no more memory than the
 * matrices would: up to about n = 2 N. Matrices that do not fit in memory are not stored as long as all magnitudes fit.
 *
 * @param memoryBytes memory for magnitudes and matrices
 */
export function planMemory(
  context: GpuContext,
  nodes: number,
  pairs: number,
  memoryBytes: number = MEMORY_BYTES[context.software ? 'software' : 'hardware'],
): MemoryPlan {
  const matrixBytes = 2 * 8 * pairs * nodes ** 2;
  const matrices = matrixBytes > memoryBytes ? 'formed' : 'held';
  const keptBytes = Math.min(matrices === 'held' ? matrixBytes : Infinity, memoryBytes / 2);
  const chunks = ({ chunkRows, stride }: StatisticsLayout): number =>
    Math.max(1, Math.floor(keptBytes / (4 * 2 * pairs * chunkRows * stride)));
  return {
    matrices,
    chunks,
    explain: (layout) => {
      const samples = chunks(layout) * layout.chunkRows;
      const sums = `matrices of sums take ${mebibytes(matrixBytes)} MiB`;
      return matrices === 'held'
        ? `${sums}: magnitudes of up to ${samples} samples are kept, and products are computed on request`
        : `${sums}, but only ${mebibytes(memoryBytes)} MiB are available: magnitudes of up to ${samples} samples are kept, and products are computed panel by panel on every request for scores`;
    },
  };
}

function mebibytes(bytes: number): number {
  return Math.ceil(bytes / 2 ** 20);
}
