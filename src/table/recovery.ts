import type { Table } from 'apache-arrow';
import { MagnitudeEdgeError } from '../errors.ts';
import type { Candidates } from '../ranking/candidate-ranks.ts';
import { recoveryFigures, type FiguresWithIntervals } from '../ranking/recovery-figures.ts';
import { tableCoverage } from './coverage-metadata.ts';
import type { NamedPair } from './positives.ts';
import { flagReader, nameReader, numberReader } from './read-columns.ts';
import { scoreColumnOf } from './score-column.ts';

/** Options of {@link evaluateRecovery}. */
export interface RecoveryOptions {
  /** Column to rank by, highest first. Default: the table's scores, 'corr' or 'score'. */
  readonly scoreCol?: string | undefined;
  /** k of the hits@k. Default [1, 5, 20]. */
  readonly hits?: readonly number[] | undefined;
  /** Bootstrap samples of the positives, for intervals; 0 for none. Default 1,000. */
  readonly resamples?: number | undefined;
  /** Seed of the bootstrap: a whole number from 0 to 2^32 - 1. Default 0. */
  readonly seed?: number | undefined;
  /** Coverage of the intervals. Default 0.95. */
  readonly level?: number | undefined;
}

/** How well a table's scores find edges. */
export interface Recovery extends FiguresWithIntervals {
  /** Positives that are scored pairs of the table: the basis of the figures */
  readonly positives: number;
  /** Positives without a score, or absent from the table */
  readonly missing: number;
  /** Scored pairs that compete, including the positives */
  readonly pairs: number;
}

/**
 * Figures of how well scores find positive edges among all pairs that are not known edges (method.md, "Ranking
 * figures"): AUC, average and early precision over all pairs; mean reciprocal rank, hits@k and median rank by target
 * and by source. Known edges (`has_edge`) and i -> i do not compete, unless they are positives; nor do pairs without a
 * score.
 *
 * @throws `no-positives` if no positive has a score; `invalid-argument` for a score column that the table lacks and
 * options out of range; `invalid-data` for a table that lacks names, or that has been cut to its first rows
 */
export function evaluateRecovery(
  res: Table,
  positiveEdges: Iterable<NamedPair>,
  {
    scoreCol = scoreColumnOf(res),
    hits = [1, 5, 20],
    resamples = 1000,
    seed = 0,
    level = 0.95,
  }: RecoveryOptions = {},
): Recovery {
  checkOptions(hits, resamples, seed, level);
  const positiveTargets = targetsBySource(positiveEdges);
  const positiveCount = [...positiveTargets.values()].reduce((sum, { size }) => sum + size, 0);
  const candidates = candidatesOf(res, scoreCol, positiveTargets);
  const pairs = candidates.scores.length;
  const positives = candidates.positive.reduce((sum, flag) => sum + flag, 0);
  if (positives === 0) {
    throw new MagnitudeEdgeError(
      'no-positives',
      `None of the ${positiveCount} positive edges is a pair of the table with a score.`,
      { details: { positives: positiveCount } },
    );
  }
  if (positives === pairs) {
    throw new MagnitudeEdgeError(
      'invalid-data',
      'The table has no scored pair that is not a positive or a known edge.',
    );
  }
  checkWhole(res, pairs);
  const settings = { hits, resamples, seed, level };
  return { positives, missing: positiveCount - positives, pairs, ...recoveryFigures(candidates, settings) };
}

/** The pairs that compete. */
function candidatesOf(
  res: Table,
  scoreCol: string,
  positiveTargets: ReadonlyMap<string, ReadonlySet<string>>,
): Candidates {
  const [source, target] = [nameReader(res, 'src_func'), nameReader(res, 'dst_func')];
  const score = numberReader(res, scoreCol);
  const isKnown = flagReader(res, 'has_edge') ?? (() => false);
  const numbers = new Map<string, number>();
  const numberOf = (name: string): number => {
    const found = numbers.get(name) ?? numbers.size;
    numbers.set(name, found);
    return found;
  };
  const count = res.numRows;
  const all = {
    sources: new Int32Array(count),
    targets: new Int32Array(count),
    scores: new Float64Array(count),
    positive: new Uint8Array(count),
  };
  let kept = 0;
  for (let row = 0; row < count; row++) {
    const value = score(row);
    if (Number.isNaN(value)) continue;
    const [from, to] = [source(row), target(row)];
    const positive = positiveTargets.get(from)?.has(to) ?? false;
    if (!positive && (from === to || isKnown(row))) continue;
    all.sources[kept] = numberOf(from);
    all.targets[kept] = numberOf(to);
    all.scores[kept] = value;
    all.positive[kept++] = Number(positive);
  }
  return {
    sources: all.sources.subarray(0, kept),
    targets: all.targets.subarray(0, kept),
    scores: all.scores.subarray(0, kept),
    positive: all.positive.subarray(0, kept),
  };
}

/** A table of only the first rows would flatter every figure. @throws `invalid-data` */
function checkWhole(res: Table, pairs: number): void {
  const coverage = tableCoverage(res);
  if (coverage === undefined) return;
  const scored = coverage.candidates.pairs - coverage.candidates.unscored;
  if (pairs >= scored) return;
  throw new MagnitudeEdgeError(
    'invalid-data',
    `The table has ${pairs} of the ${scored} scored pairs that compete, but the figures need all of them: make it without top and maxQ.`,
    { details: { expected: scored, found: pairs } },
  );
}

function checkOptions(hits: readonly number[], resamples: number, seed: number, level: number): void {
  const refuse = (option: string, expected: string, found: unknown): never => {
    throw new MagnitudeEdgeError(
      'invalid-argument',
      `${option} must be ${expected} and is ${String(found)}.`,
      {
        details: { option, found: String(found) },
      },
    );
  };
  const badK = hits.find((k) => !(Number.isInteger(k) && k >= 1));
  if (badK !== undefined) refuse('hits', 'whole numbers of at least 1', badK);
  if (!(Number.isInteger(resamples) && resamples >= 0))
    refuse('resamples', 'a whole number of at least 0', resamples);
  if (!(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32))
    refuse('seed', 'a whole number from 0 to 2^32 - 1', seed);
  if (!(level > 0 && level < 1)) refuse('level', 'between 0 and 1', level);
}

function targetsBySource(edges: Iterable<NamedPair>): Map<string, Set<string>> {
  const targets = new Map<string, Set<string>>();
  for (const [source, target] of edges) {
    const own = targets.get(source);
    if (own === undefined) targets.set(source, new Set([target]));
    else own.add(target);
  }
  return targets;
}
