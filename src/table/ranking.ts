import type { Table } from 'apache-arrow';
import { MagnitudeEdgeError } from '../errors.ts';
import { boolColumn, floatColumn, int32Column, nameColumn, nameVector, tableOf } from './columns.ts';
import type { NamedPair } from './positives.ts';
import { scoreColumnOf } from './score-column.ts';
import { distinctNames, nameReader, numberReader } from './read-columns.ts';

/** How {@link evaluateTargetRanking} ranks. */
export interface RankingOptions {
  /** Column to rank by, highest first. Default: the table's scores, 'corr' or 'score'. */
  readonly scoreCol?: string | undefined;
  /** A positive counts as recovered when its rank is at most k. Default [1, 3, 5]. */
  readonly topK?: readonly number[] | undefined;
}

/** Where each positive edge ranks among the sources of its target, and a summary. */
export interface TargetRanking {
  /**
   * One row per positive: src_func, dst_func, score, rank (null if not ranked), n_candidates, reciprocal_rank, top@k
   */
  readonly detail: Table;
  /** n_positives, mrr, and the rate of each top@k; positives that are not ranked count as missed */
  readonly summary: Record<string, number>;
  /** Positives whose names the table lacks: misspelt, or of another set of nodes. They are not ranked. */
  readonly unknown: readonly NamedPair[];
  /** Positives whose names the table has, but without a score. They are not ranked either. */
  readonly unscored: readonly NamedPair[];
}

/** The scored rows of one target, in table order. */
interface Candidates {
  readonly sources: string[];
  readonly scores: number[];
}

/**
 * Ranks positive edges among all scored sources of their targets (method.md, "Target ranking"). Works on any edge
 * table, read from a file or just computed.
 *
 * @throws `no-positives` if there are no positive edges or the table knows none of them; `invalid-argument` for a score
 * column that the table lacks or a k below 1; `invalid-data` for a table without src_func and dst_func
 */
export function evaluateTargetRanking(
  res: Table,
  positiveEdges: Iterable<NamedPair>,
  { scoreCol = scoreColumnOf(res), topK = [1, 3, 5] }: RankingOptions = {},
): TargetRanking {
  const positives = sortedUnique(positiveEdges);
  if (positives.length === 0) {
    throw new MagnitudeEdgeError(
      'no-positives',
      'The ranking needs at least one positive edge, but there are none.',
    );
  }
  const badK = topK.find((k) => !(Number.isInteger(k) && k >= 1));
  if (badK !== undefined) {
    throw new MagnitudeEdgeError(
      'invalid-argument',
      `topK must hold whole numbers of at least 1 and holds ${badK}.`,
      {
        details: { option: 'topK', found: badK },
      },
    );
  }
  const names = distinctNames(res, ['src_func', 'dst_func']);
  const isKnown = ([source, target]: NamedPair): boolean => names.has(source) && names.has(target);
  const unknown = positives.filter((pair) => !isKnown(pair));
  if (unknown.length === positives.length) throw noneKnown(positives, names);
  const byTarget = candidatesOf(res, scoreCol, new Set(positives.map(([, target]) => target)));
  const rows = positives.map(([source, target]) => ({
    source,
    target,
    ...rankOf(source, byTarget.get(target)!),
  }));
  const ranks = rows.map(({ rank }) => rank ?? Infinity);
  const ends = [...new Set(positives.flat())];
  const codes = new Map(ends.map((name, code) => [name, code]));
  const dictionary = nameVector(ends);
  const codesOf = (pick: (row: (typeof rows)[number]) => string): Int32Array =>
    Int32Array.from(rows, (row) => codes.get(pick(row))!);

  const detail = tableOf(
    [
      nameColumn(
        'src_func',
        codesOf((row) => row.source),
        dictionary,
      ),
      nameColumn(
        'dst_func',
        codesOf((row) => row.target),
        dictionary,
      ),
      floatColumn(
        'score',
        Float64Array.from(rows, ({ score }) => score),
      ),
      int32Column(
        'rank',
        Int32Array.from(rows, ({ rank }) => rank ?? 0),
        rows.map(({ rank }) => rank !== undefined),
      ),
      int32Column(
        'n_candidates',
        Int32Array.from(rows, ({ candidates }) => candidates),
      ),
      floatColumn(
        'reciprocal_rank',
        Float64Array.from(ranks, (rank) => 1 / rank),
      ),
      ...topK.map((k) => boolColumn(`top@${k}`, rows.length, (row) => ranks[row]! <= k)),
    ],
    new Map([['scoreCol', scoreCol]]),
  );
  const mean = (total: number): number => total / rows.length;
  const summary: Record<string, number> = {
    n_positives: rows.length,
    mrr: mean(ranks.reduce((sum, rank) => sum + 1 / rank, 0)),
  };
  for (const k of topK) summary[`top@${k}`] = mean(ranks.filter((rank) => rank <= k).length);
  const unscored = positives.filter((pair, row) => rows[row]!.rank === undefined && isKnown(pair));
  return { detail, summary, unknown, unscored };
}

function noneKnown(positives: readonly NamedPair[], names: ReadonlySet<string>): MagnitudeEdgeError {
  const [source, target] = positives[0]!;
  const some = [...names].slice(0, 3).join(', ');
  const has = names.size === 0 ? 'has no rows' : `has ${some}${names.size > 3 ? ', …' : ''}`;
  return new MagnitudeEdgeError(
    'no-positives',
    `None of the ${positives.length} positive edges joins two nodes of the table: the first is ${source} -> ${target}, and the table ${has}.`,
    { details: { positives: positives.length } },
  );
}

/** Positive edges without duplicates, sorted by source and then by target. */
function sortedUnique(edges: Iterable<NamedPair>): NamedPair[] {
  const unique = new Map<string, NamedPair>();
  for (const [source, target] of edges) unique.set(JSON.stringify([source, target]), [source, target]);
  const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
  return [...unique.values()].sort((a, b) => compare(a[0], b[0]) || compare(a[1], b[1]));
}

/** The scored rows of each of the targets; an empty list for a target without any. */
function candidatesOf(res: Table, scoreCol: string, targets: ReadonlySet<string>): Map<string, Candidates> {
  const byTarget = new Map<string, Candidates>();
  for (const target of targets) byTarget.set(target, { sources: [], scores: [] });
  const source = nameReader(res, 'src_func');
  const target = nameReader(res, 'dst_func');
  const score = numberReader(res, scoreCol);
  for (let row = 0; row < res.numRows; row++) {
    const value = score(row);
    const candidates = value === value ? byTarget.get(target(row)) : undefined;
    candidates?.sources.push(source(row));
    candidates?.scores.push(value);
  }
  return byTarget;
}

/** Rank 1 is best; of equal scores the earlier row ranks first. */
function rankOf(
  source: string,
  { sources, scores }: Candidates,
): { rank: number | undefined; score: number; candidates: number } {
  const at = sources.indexOf(source);
  const candidates = sources.length;
  if (at < 0) return { rank: undefined, score: NaN, candidates };
  const score = scores[at]!;
  const ahead = scores.filter((other, row) => other > score || (other === score && row < at)).length;
  return { rank: ahead + 1, score, candidates };
}
