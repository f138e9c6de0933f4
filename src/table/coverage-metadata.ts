import type { Table } from 'apache-arrow';
import type { ScoreCoverage, UnscoredPairs } from '../engine/scores/unscored.ts';

/** Schema metadata of an edge table that record how many pairs have a score. */
export function coverageMetadata({ pairs, unscored, candidates }: ScoreCoverage): Record<string, string> {
  return {
    pairs: String(pairs),
    unscored: JSON.stringify(unscored),
    candidates: String(candidates.pairs),
    unscoredCandidates: String(candidates.unscored),
  };
}

/**
 * How many pairs of an edge table have a score, and why the others have none, from its schema metadata; also for a
 * table that holds only some of the rows.
 *
 * @returns undefined for a table that does not record it: one of an older version, or from elsewhere
 */
export function tableCoverage({ schema }: Pick<Table, 'schema'>): ScoreCoverage | undefined {
  return coverageFrom(schema.metadata);
}

/** The same from the metadata alone, for a table in another form. */
export function coverageFrom(metadata: ReadonlyMap<string, string>): ScoreCoverage | undefined {
  const count = (text: unknown): number =>
    (typeof text === 'string' && /^\d+$/.test(text)) || typeof text === 'number' ? Number(text) : NaN;
  let recorded: Record<string, unknown>;
  try {
    recorded = JSON.parse(metadata.get('unscored') ?? '{}') as Record<string, unknown>;
  } catch {
    return undefined;
  }
  const unscored: UnscoredPairs = {
    pairs: count(recorded.pairs),
    constantSource: count(recorded.constantSource),
    constantTarget: count(recorded.constantTarget),
    explained: count(recorded.explained),
    knownParent: count(recorded.knownParent),
    singular: count(recorded.singular),
  };
  const pairs = count(metadata.get('pairs'));
  const candidates = {
    pairs: count(metadata.get('candidates')),
    unscored: count(metadata.get('unscoredCandidates')),
  };
  const all: number[] = [
    pairs,
    candidates.pairs,
    candidates.unscored,
    ...Object.values<number>({ ...unscored }),
  ];
  return all.some((value) => Number.isNaN(value)) ? undefined : { pairs, unscored, candidates };
}
