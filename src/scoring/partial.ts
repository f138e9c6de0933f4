import type { Tile } from '../statistics/tiled-matmul.ts';
import type { RaggedIndices } from '../statistics/ragged.ts';
import { remainderLimits, type RemainderLimits } from './constant-nodes.ts';
import { NODE_FLAG } from './node-flags.ts';
import type { PairBasis, ScoreColumns } from './product-source.ts';
import { factorTarget } from './partial-factor.ts';
import type { ScoreRequest } from './score-matrices.ts';
import { openSubstitution, type SubstitutionMemory } from './substitution.ts';
import { LIMITS_LENGTH, SOURCES_TOGETHER } from './wasm-substitution-kernel.ts';

/** Sources whose covariances with all members of sets are computed at a time. */
const PANEL_COLUMNS = 256;

/** Targets whose columns are written together; otherwise every element of the scores would miss a cache. */
const TARGETS_TOGETHER = 16;

/** Numbers in the factors held at a time, 2 MiB: each panel is computed once for all of their targets. */
const FACTORS_LENGTH = 2 ** 18;

/** A target whose system has been factored. */
interface FactoredTarget {
  readonly index: number;
  /** Address of its factor */
  readonly factor: number;
  /** vy */
  readonly residualVarianceY: number;
}

/**
 * Ridge partial correlations of layer pairs (method.md, "score = 'partial'"), reusable for the same conditioning sets.
 * Covariances are formed from the sums as they are read: no covariance matrix is ever held.
 */
export class PartialScorer {
  readonly #nodes: number;
  readonly #sets: RaggedIndices;
  readonly #ridge: number;
  readonly #limits: RemainderLimits;
  readonly #roundoff: number | undefined;
  readonly #memory: SubstitutionMemory;
  readonly #panel: Float64Array;
  readonly #factors: Float64Array;
  readonly #members: Uint32Array;
  readonly #scratch: Float64Array;
  readonly #variances: Float64Array;
  readonly #covariances: Float64Array;
  /** The panel row of each member of the current sets */
  readonly #rowOf: Uint32Array;
  readonly #covSS: Float64Array;
  readonly #covSY: Float64Array;
  readonly #columns = new Float64Array(TARGETS_TOGETHER * PANEL_COLUMNS);

  /**
   * @param roundoff of the sums that scores are formed from, see `choleskyFactor`
   * @throws `out-of-memory` if the scratch memory cannot be allocated
   */
  constructor(
    nodes: number,
    {
      conditioningSets,
      ridge,
      varianceFloor,
    }: Pick<ScoreRequest, 'conditioningSets' | 'ridge' | 'varianceFloor'>,
    roundoff?: number,
  ) {
    this.#roundoff = roundoff;
    this.#nodes = nodes;
    this.#sets = conditioningSets;
    this.#ridge = ridge;
    this.#limits = remainderLimits(varianceFloor);
    let largest = 0;
    for (let j = 0; j < nodes; j++) largest = Math.max(largest, this.#setOf(j).length);
    const lengths = [
      nodes * PANEL_COLUMNS,
      Math.max(FACTORS_LENGTH, factorLength(largest)),
      // Two addresses per float64.
      Math.ceil(largest / 2),
      largest * SOURCES_TOGETHER,
      roundUp(nodes, SOURCES_TOGETHER),
      PANEL_COLUMNS,
    ];
    const total = lengths.reduce((sum, length) => sum + length);
    this.#memory = openSubstitution(8 * total);
    let at = 0;
    const next = (): Float64Array => {
      const length = lengths.shift()!;
      at += 8 * length;
      return new Float64Array(this.#memory.buffer, at - 8 * length, length);
    };
    this.#panel = next();
    this.#factors = next();
    const members = next();
    this.#members = new Uint32Array(members.buffer, members.byteOffset, 2 * members.length);
    this.#scratch = next();
    this.#variances = next();
    this.#covariances = next();
    this.#rowOf = new Uint32Array(nodes);
    this.#covSS = new Float64Array(largest * largest);
    this.#covSY = new Float64Array(largest);
  }

  /**
   * Scores all sources with the targets of a tile. Yields some milliseconds of work apart.
   *
   * @param out columns of scores; those of the tile are written
   * @param flags `[nodes]`, receives the flags of targets whose sets are singular
   */
  *score(
    source: PairBasis,
    tile: Tile,
    out: ScoreColumns,
    flags: Uint8Array,
  ): Generator<undefined, void, undefined> {
    this.#variances.set(source.moments.varX);
    for (let first = tile.first; first < tile.end;) {
      const { end, residualVarianceY } = yield* this.#factor(source, tile, first, flags);
      const members = this.#membersOf(first, end);
      for (let i0 = 0; i0 < this.#nodes; i0 += PANEL_COLUMNS) {
        const iEnd = Math.min(i0 + PANEL_COLUMNS, this.#nodes);
        this.#layOutPanel(source, members, i0, iEnd);
        yield;
        let factor = this.#factors.byteOffset;
        for (let j0 = first; j0 < end; j0 += TARGETS_TOGETHER) {
          const jEnd = Math.min(j0 + TARGETS_TOGETHER, end);
          for (let j = j0; j < jEnd; j++) {
            const target = { index: j, factor, residualVarianceY: residualVarianceY[j - first]! };
            this.#scoreTarget(source, tile, target, [i0, iEnd], (j - j0) * PANEL_COLUMNS);
            factor += 8 * factorLength(this.#setOf(j).length);
          }
          this.#writeColumns(j0, jEnd, i0, iEnd, out);
          yield;
        }
      }
      this.#clearMembers(first, end, out);
      first = end;
    }
  }

  #setOf(target: number): Uint32Array {
    const { offsets, indices } = this.#sets;
    return indices.subarray(offsets[target], offsets[target + 1]);
  }

  /**
   * Factors the systems of the targets from `first` on, as many as fit.
   *
   * @returns the first target that did not fit, and vy of each that did
   */
  *#factor(
    { samples, moments: { meanX, meanY, varY }, sources }: PairBasis,
    { values, stride, first: tileFirst, end: tileEnd }: Tile,
    first: number,
    flags: Uint8Array,
  ): Generator<
    undefined,
    { readonly end: number; readonly residualVarianceY: readonly number[] },
    undefined
  > {
    const scale = 1 / samples;
    const factors = this.#factors;
    const residualVarianceY: number[] = [];
    let end = first;
    for (let at = 0; end < tileEnd; end++) {
      const set = this.#setOf(end);
      const size = set.length;
      if (at + factorLength(size) > factors.length) break;
      const covSS = this.#covSS.subarray(0, size * size);
      const covSY = this.#covSY.subarray(0, size);
      for (let k = 0; k < size; k++) {
        const member = set[k]!;
        const mean = meanX[member]!;
        covSY[k] = values[member * stride + end - tileFirst]! * scale - mean * meanY[end]!;
        for (let m = 0; m <= k; m++) {
          covSS[k * size + m] = sources.at(member, set[m]!) * scale - mean * meanX[set[m]!]!;
        }
      }
      const rest = factorTarget(
        { covSS, covSY, varY: varY[end]! },
        this.#ridge,
        this.#limits,
        this.#roundoff,
      );
      if (rest === undefined) flags[end]! |= NODE_FLAG.singularSet;
      residualVarianceY.push(rest ?? NaN);
      for (let k = 0; k < size; k++) {
        for (let m = 0; m < k; m++) factors[at++] = covSS[k * size + m]!;
        factors[at++] = 1 / covSS[k * size + k]!;
        factors[at++] = covSY[k]!;
      }
      factors.set([residualVarianceY.at(-1)!, this.#limits.share, this.#limits.floor, -1, 1], at);
      at += LIMITS_LENGTH;
      yield;
    }
    return { end, residualVarianceY };
  }

  /**
   * The members of the sets of targets `first .. end`, and their rows in a panel: ascending, since neighbours share
   * cache lines if X^T X is packed.
   */
  #membersOf(first: number, end: number): Uint32Array {
    const { offsets, indices } = this.#sets;
    const members = new Uint32Array(new Set(indices.subarray(offsets[first], offsets[end]))).sort();
    members.forEach((member, row) => (this.#rowOf[member] = row));
    return members;
  }

  /** Covariances of sources `i0 .. iEnd` with members of sets, one row per member. */
  #layOutPanel(
    { samples, moments: { meanX }, sources }: PairBasis,
    members: Uint32Array,
    i0: number,
    iEnd: number,
  ): void {
    const panel = this.#panel;
    const scale = 1 / samples;
    for (let row = 0; row < members.length; row++) {
      const mean = meanX[members[row]!]!;
      const to = row * PANEL_COLUMNS;
      sources.copyPart(members[row]!, i0, iEnd, panel, to);
      for (let i = i0, at = to; i < iEnd; i++, at++) panel[at] = panel[at]! * scale - mean * meanX[i]!;
    }
  }

  /** Writes the scores of sources `i0 .. iEnd` with one target to {@link PartialScorer.#columns}, from `to` on. */
  #scoreTarget(
    { samples, moments: { meanX, meanY } }: PairBasis,
    { values, stride, first }: Tile,
    { index: target, factor, residualVarianceY }: FactoredTarget,
    [i0, iEnd]: readonly [number, number],
    to: number,
  ): void {
    const columns = this.#columns;
    const count = iEnd - i0;
    if (Number.isNaN(residualVarianceY)) {
      columns.fill(NaN, to, to + count);
      return;
    }
    const [covariances, members] = [this.#covariances, this.#members];
    const scale = 1 / samples;
    const mean = meanY[target]!;
    for (let s = 0, from = i0 * stride + target - first; s < count; s++, from += stride) {
      covariances[s] = values[from]! * scale - meanX[i0 + s]! * mean;
    }
    const set = this.#setOf(target);
    for (let k = 0; k < set.length; k++) {
      members[k] = this.#panel.byteOffset + 8 * PANEL_COLUMNS * this.#rowOf[set[k]!]!;
    }
    this.#memory.run(
      members.byteOffset,
      set.length,
      factor,
      this.#scratch.byteOffset,
      this.#variances.byteOffset + 8 * i0,
      covariances.byteOffset,
      // Sources beyond the last are computed from unspecified values, and dropped.
      8 * roundUp(count, SOURCES_TOGETHER),
    );
    for (let s = 0; s < count; s++) columns[to + s] = covariances[s]!;
  }

  #writeColumns(j0: number, jEnd: number, i0: number, iEnd: number, out: ScoreColumns): void {
    const columns = this.#columns;
    const targets = jEnd - j0;
    for (let i = i0; i < iEnd; i++) {
      const to = i * out.stride + j0 - out.first;
      for (let t = 0; t < targets; t++) out.values[to + t] = columns[t * PANEL_COLUMNS + i - i0]!;
    }
  }

  /** No score for a member of a target's set, nor, if it has any, for the target with itself. */
  #clearMembers(first: number, end: number, { values, stride, first: outFirst }: ScoreColumns): void {
    for (let j = first; j < end; j++) {
      const set = this.#setOf(j);
      for (const member of set) values[member * stride + j - outFirst] = NaN;
      if (set.length > 0) values[j * stride + j - outFirst] = NaN;
    }
  }
}

/** Numbers stored for a set of `size` members, see SubstitutionKernel. */
function factorLength(size: number): number {
  return (size * (size + 3)) / 2 + LIMITS_LENGTH;
}

function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}
