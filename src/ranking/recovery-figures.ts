import { rankWithin, type Candidates } from './candidate-ranks.ts';
import { randomBits } from '../statistics/shuffle.ts';

/** How figures are computed. */
export interface FigureSettings {
  /** k of the hits@k */
  readonly hits: readonly number[];
  /** Bootstrap samples of the positives; 0 for no intervals */
  readonly resamples: number;
  /** Seed of the samples, an unsigned 32-bit integer */
  readonly seed: number;
  /** Coverage of the intervals, as 0.95 */
  readonly level: number;
}

/** Figures by name, see docs/method.md, "Ranking figures". */
export type Figures = Record<string, number>;

/** Figures with bootstrap intervals. */
export interface FiguresWithIntervals {
  readonly figures: Figures;
  /** Lower and upper end of each figure's interval; none without resamples */
  readonly intervals: Record<string, [lower: number, upper: number]>;
}

/** A positive, and what its figures derive from. */
interface Positive {
  /** Negatives that score higher, and equally high */
  readonly above: number;
  readonly tied: number;
  readonly score: number;
  /** Average rank among the sources of its target and among the targets of its source */
  readonly rankByTarget: number;
  readonly rankBySource: number;
}

/**
 * How well scores find positives among candidates (method.md, "Ranking figures"). Intervals are percentiles over
 * samples of the positives, drawn with replacement; the negatives stay.
 *
 * @param candidates at least one positive and one negative
 */
export function recoveryFigures(candidates: Candidates, settings: FigureSettings): FiguresWithIntervals {
  const positives = positivesOf(candidates);
  const negatives = candidates.scores.length - positives.length;
  const all = new Uint32Array(positives.length).fill(1);
  const figures = figuresOf(positives, all, negatives, settings.hits);
  const { resamples, seed, level } = settings;
  const drawn: Figures[] = [];
  for (let sample = 0; sample < resamples; sample++) {
    const weights = new Uint32Array(positives.length);
    const bits = randomBits(seed, sample);
    positives.forEach(() => weights[Math.floor((bits() / 2 ** 32) * weights.length)]!++);
    drawn.push(figuresOf(positives, weights, negatives, settings.hits));
  }
  const intervals: FiguresWithIntervals['intervals'] = {};
  for (const name of resamples > 0 ? Object.keys(figures) : []) {
    const values = Float64Array.from(drawn, (each) => each[name]!).sort();
    intervals[name] = [quantile(values, (1 - level) / 2), quantile(values, (1 + level) / 2)];
  }
  return { figures, intervals };
}

/** The positives, the highest score first. */
function positivesOf(candidates: Candidates): Positive[] {
  const { scores, positive } = candidates;
  const negatives = scores.filter((_, at) => positive[at] === 0).sort();
  const rows = [...positive.keys()].filter((at) => positive[at] === 1);
  const byTarget = rankWithin(candidates, 'targets', rows);
  const bySource = rankWithin(candidates, 'sources', rows);
  return rows
    .map((at, k) => {
      const score = scores[at]!;
      const [notAbove, below] = [countUpTo(negatives, score, true), countUpTo(negatives, score, false)];
      return {
        above: negatives.length - notAbove,
        tied: notAbove - below,
        score,
        rankByTarget: byTarget[k]!,
        rankBySource: bySource[k]!,
      };
    })
    .sort((a, b) => b.score - a.score);
}

/** The number of ascending values below a value, or up to it. */
function countUpTo(values: Float64Array, value: number, included: boolean): number {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values[middle]! < value || (included && values[middle] === value)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** @param weights multiplicity of each positive */
function figuresOf(
  positives: readonly Positive[],
  weights: Uint32Array,
  negatives: number,
  hits: readonly number[],
): Figures {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const mean = (value: (positive: Positive) => number): number =>
    positives.reduce((sum, positive, k) => sum + weights[k]! * value(positive), 0) / total;
  const figures: Figures = {
    auc: mean(({ above, tied }) => (negatives - above - tied / 2) / negatives),
    ...precisions(positives, weights, total),
  };
  for (const [side, rankOf] of [
    ['target', ({ rankByTarget }: Positive) => rankByTarget],
    ['source', ({ rankBySource }: Positive) => rankBySource],
  ] as const) {
    figures[`mrr_by_${side}`] = mean((positive) => 1 / rankOf(positive));
    for (const k of hits) {
      figures[`hits@${k}_by_${side}`] = mean((positive) => Number(rankOf(positive) <= k));
    }
    figures[`median_rank_by_${side}`] = weightedMedian(positives.map(rankOf), weights, total);
  }
  return figures;
}

/**
 * Average precision, the sum over the distinct scores of precision times the recall that they add; and early precision,
 * that of the first pairs, as many as there are positives, with ties counted as a random order would on average.
 */
function precisions(
  positives: readonly Positive[],
  weights: Uint32Array,
  total: number,
): { average_precision: number; early_precision: number } {
  let [found, average, early] = [0, 0, 0];
  for (let first = 0; first < positives.length;) {
    const { score, above, tied } = positives[first]!;
    let [end, here] = [first, 0];
    for (; end < positives.length && positives[end]!.score === score; end++) here += weights[end]!;
    first = end;
    if (here === 0) continue;
    const left = total - found - above;
    if (left > 0) early += here * Math.min(1, left / (here + tied));
    found += here;
    average += (here / total) * (found / (found + above + tied));
  }
  return { average_precision: average, early_precision: early / total };
}

/** The mean of the two middle values, if there are two. */
function weightedMedian(values: readonly number[], weights: Uint32Array, total: number): number {
  const order = [...values.keys()].sort((a, b) => values[a]! - values[b]!);
  const at = (place: number): number => {
    let before = 0;
    for (const k of order) {
      before += weights[k]!;
      if (place < before) return values[k]!;
    }
    return NaN;
  };
  return (at(Math.floor((total - 1) / 2)) + at(Math.floor(total / 2))) / 2;
}

/** Linear between neighbours. @param values ascending */
function quantile(values: Float64Array, share: number): number {
  const place = share * (values.length - 1);
  const low = Math.floor(place);
  const high = Math.min(low + 1, values.length - 1);
  return values[low]! + (place - low) * (values[high]! - values[low]!);
}
