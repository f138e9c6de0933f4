import type { ScoreCoverage, UnscoredPairs } from '../engine/scores/unscored.ts';

/** Share of the candidates without a score above which a warning is given. */
const MANY = 0.1;

const reasons: readonly (readonly [keyof UnscoredPairs, string])[] = [
  ['knownParent', 'known parent'],
  ['constantTarget', 'constant target'],
  ['constantSource', 'constant source'],
  ['singular', 'singular set of parents'],
  ['explained', 'explained by the parents'],
];

/** How many pairs have no score and why, as part of a sentence. */
export function unscoredInWords({ pairs, unscored }: ScoreCoverage): string {
  const why = unscored.pairs > 0 ? ` (${reasonsInWords(unscored)})` : '';
  return `${unscored.pairs.toLocaleString('en')} of ${pairs.toLocaleString('en')} pairs${why}`;
}

function reasonsInWords(unscored: UnscoredPairs): string {
  return reasons
    .filter(([reason]) => unscored[reason] > 0)
    .map(([reason, words]) => `${unscored[reason].toLocaleString('en')} ${words}`)
    .join(', ');
}

/** Whether there are pairs, and none of them has a score. */
export function nothingScored({ pairs, unscored }: ScoreCoverage): boolean {
  return pairs > 0 && unscored.pairs === pairs;
}

/**
 * A warning if nothing is scored, or if more than a tenth of the candidates (pairs that are neither known edges nor
 * i -> i) have no score; else undefined.
 */
export function coverageWarning(coverage: ScoreCoverage): string | undefined {
  const { pairs, unscored, candidates } = coverage;
  if (nothingScored(coverage)) {
    return `None of the ${pairs.toLocaleString('en')} pairs has a score (${reasonsInWords(unscored)}).`;
  }
  if (!(candidates.unscored > MANY * candidates.pairs)) return undefined;
  const share = Math.round((100 * candidates.unscored) / candidates.pairs);
  return (
    `${share} % of the candidates (${candidates.unscored.toLocaleString('en')} of ` +
    `${candidates.pairs.toLocaleString('en')} pairs that are not known edges) have no score; in all, pairs without one are ` +
    `${unscoredInWords(coverage)}.`
  );
}
