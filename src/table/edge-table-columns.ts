import type { Bool, DataType, Dictionary, Float64, Int32, Null, Utf8 } from 'apache-arrow';
import type { EdgeScore } from '../scoring/score-matrices.ts';

/** `corr_a0_g1`, or `score_a0_g1`: from activations of layer 0 and gradients of layer 1. */
type LayerPairColumns<Name extends string, T> = Record<`${Name}_a${number}_g${number}`, T>;

/** The score's own columns; `Name_se` only with uncertainty. */
type ScoreColumns<Name extends string, T = Float64> = Record<Name, T> &
  LayerPairColumns<Name, T> &
  Record<`${Name}_se`, Float64 | Null>;

/**
 * The columns of an edge table as apache-arrow types, so that `table.get(0)!.corr` is a number: see docs/method.md,
 * "The edge table". Columns that may be absent, or null throughout, include `Null` in their types. Scores other than
 * correlations are in `score`; if the score is known only at run time, the table may have either.
 */
export type EdgeColumns<S extends EdgeScore = 'corr'> = {
  src_func: Dictionary<Utf8, Int32>;
  dst_func: Dictionary<Utf8, Int32>;
  src_idx: Int32;
  dst_idx: Int32;
  has_edge: Bool;
  /** Null throughout for channel scores without permutations */
  p_value: [S] extends ['corr' | 'partial' | 'regression'] ? Float64 : Float64 | Null;
  q_value: [S] extends ['corr' | 'partial' | 'regression'] ? Float64 : Float64 | Null;
  /** Only with uncertainty */
  sign_stability: Float64 | Null;
  /** Only with permutations */
  p_empirical: Float64 | Null;
  /** Tables from other programs may have more */
  [column: string]: DataType;
} & ([S] extends ['corr' | 'partial']
  ? ScoreColumns<'corr'>
  : [S] extends ['regression' | 'channel']
    ? ScoreColumns<'score'>
    : ScoreColumns<'corr', Float64 | Null> & ScoreColumns<'score', Float64 | Null>) &
  ([S] extends ['partial'] ? { n_cond: Int32 } : unknown) &
  ([S] extends ['regression'] ? { standard_error: Float64 } : unknown);
