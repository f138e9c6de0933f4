import { MagnitudeEdgeError } from '../errors.ts';
import type { EngineShape } from '../engine/engine.ts';
import type { ResamplePlan } from './resampled-scores.ts';

/** How uncertainty is computed; omitted options have defaults. */
export interface UncertaintyOptions {
  /** G, groups of samples that are left out one by one for the standard errors, and shuffled within. Default 10. */
  readonly groups?: number | undefined;
  /** R, shuffles of the targets for the empirical p. Default 0: no empirical p. */
  readonly permutations?: number | undefined;
  /** Seed of the shuffles: a whole number from 0 to 2^32 - 1. Default 0. */
  readonly seed?: number | undefined;
  /** Most bytes of magnitudes that are kept, 8 P N per sample. Default 2^30. */
  readonly maxBytes?: number | undefined;
}

/** {@link UncertaintyOptions} with all defaults filled in. */
export interface UncertaintySettings {
  readonly plan: ResamplePlan;
  readonly maxBytes: number;
  /** Samples kept as rows before they become sums. Default: {@link rowsToKeep}. */
  readonly rows?: number | undefined;
}

/**
 * Checks the options, and fills in the defaults.
 *
 * @returns undefined if no uncertainty is requested
 * @throws `invalid-argument`
 */
export function uncertaintySettings(
  options: boolean | UncertaintyOptions | undefined,
): UncertaintySettings | undefined {
  if (options === undefined || options === false) return undefined;
  const { groups = 10, permutations = 0, seed = 0, maxBytes = 2 ** 30 } = options === true ? {} : options;
  checkWhole('groups', groups, 2);
  checkWhole('permutations', permutations, 0);
  checkWhole('seed', seed, 0, 2 ** 32 - 1);
  checkWhole('maxBytes', maxBytes, 1);
  return { plan: { groups, permutations, seed }, maxBytes };
}

/**
 * Rows may always take this much, even if the sums of the groups take less: so little that forming sums gains nothing.
 */
const SMALL_BYTES = 64 * 2 ** 20;

/**
 * How many samples stay rows before they become sums of runs (see `BlockStatistics`): as many as take no more memory
 * than the sums of G groups, 16 P N^2 bytes each. Shuffles need the samples themselves, and sums that would not fit in
 * memory besides the rows are not formed: in both cases the rows alone may fill the memory.
 *
 * @returns Infinity if samples never become sums
 */
export function rowsToKeep(
  { plan: { groups, permutations }, maxBytes, rows }: UncertaintySettings,
  { nodes, pairs }: Pick<EngineShape, 'nodes' | 'pairs'>,
): number {
  const sums = 16 * pairs * nodes ** 2;
  const keptBytes = Math.max(SMALL_BYTES, groups * sums);
  // Up to 2 G runs, in addition to the rows.
  if (permutations > 0 || keptBytes + 2 * groups * sums > maxBytes) return Infinity;
  return rows ?? Math.floor(keptBytes / (8 * pairs * nodes));
}

function checkWhole(option: string, found: number, least: number, most = Number.MAX_SAFE_INTEGER): void {
  if (Number.isSafeInteger(found) && found >= least && found <= most) return;
  const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
  throw new MagnitudeEdgeError(
    'invalid-argument',
    `uncertainty.${option} must be a whole number ${range} and is ${String(found)}.`,
    { details: { option: `uncertainty.${option}`, found } },
  );
}
