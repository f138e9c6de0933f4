import type { Yielder } from '../../statistics/yielder.ts';
import type { RaggedIndices } from '../../statistics/ragged.ts';
import { NODE_FLAG } from '../../scoring/node-flags.ts';
import type { FunctionEdges } from '../../scoring/conditioning-sets.ts';
import type { ScoreReader, Scores } from './scores.ts';
import { withReader } from './with-reader.ts';

/**
 * How many ordered pairs of nodes have no score in any layer pair, and why (method.md, "Constant nodes"). Each pair
 * counts once, under the first reason that holds for it in any layer pair, in this order: `knownParent`,
 * `constantTarget`, `constantSource`, `singular`, `explained`.
 */
export interface UnscoredPairs {
  /** All of them: the sum of the counts below */
  readonly pairs: number;
  readonly constantSource: number;
  readonly constantTarget: number;
  /** Partial scores: no variance is left in the source, or in the target, given the target's parents. */
  readonly explained: number;
  /**
   * Partial scores: the source is a parent of the target, or the target itself (a block hands the target's own value on
   * to the next).
   */
  readonly knownParent: number;
  /** Partial scores: the covariance of the target's parents is singular. */
  readonly singular: number;
}

/** How many pairs have a score. */
export interface ScoreCoverage {
  /** Ordered pairs; i -> i only if requested */
  readonly pairs: number;
  readonly unscored: UnscoredPairs;
  /** Pairs that are neither edges of the graph nor i -> i: the candidates of a screen */
  readonly candidates: { readonly pairs: number; readonly unscored: number };
}

/** Which pairs to count. */
export interface CoverageRequest {
  /** S_j of each target; undefined for scores without conditioning sets */
  readonly conditioningSets: RaggedIndices | undefined;
  /** Edges of the graph */
  readonly edges: FunctionEdges;
  /** Excludes i -> i */
  readonly excludeSelf: boolean;
  readonly yielder: Yielder;
}

/**
 * Counts the pairs that have a score, in place. The scores remain the caller's.
 *
 * @throws `released`, `device-lost`
 */
export async function scoreCoverage(scores: Scores, request: CoverageRequest): Promise<ScoreCoverage> {
  return withReader(scores, (reader) => coverageOf(reader, scores, request));
}

/** As {@link scoreCoverage}, with a reader of the scores. */
export async function coverageOf(
  reader: ScoreReader,
  { nodes, nodeFlags }: Pick<Scores, 'nodes' | 'nodeFlags'>,
  { conditioningSets, edges, excludeSelf, yielder }: CoverageRequest,
): Promise<ScoreCoverage> {
  // Classes of targets are not used here.
  const scanner = reader.scanner(new Uint32Array(nodes), yielder);
  const isConstant = nodeFlags.map((flags) => Number((flags & NODE_FLAG.constantSource) !== 0));
  const missing = await scanner.missing(isConstant);
  const parents = conditioningSets && memberIndices(conditioningSets);
  const ofParents = parents && (await scanner.aggregatedAt(parents));
  const found = { constantSource: 0, constantTarget: 0, explained: 0, knownParent: 0, singular: 0 };
  let unscoredOthers = 0;
  for (let target = 0; target < nodes; target++) {
    let others = missing[3 * target]!;
    let constants = missing[3 * target + 1]!;
    const self = missing[3 * target + 2]!;
    unscoredOthers += others + constants;
    const [first, end] = [conditioningSets?.offsets[target] ?? 0, conditioningSets?.offsets[target + 1] ?? 0];
    for (let at = first; at < end; at++) {
      if (!Number.isNaN(ofParents![at])) continue;
      found.knownParent++;
      if (isConstant[conditioningSets!.indices[at]!] === 1) constants--;
      else others--;
    }
    if (!excludeSelf && end > first) found.knownParent += self;
    else if (!excludeSelf && isConstant[target] === 1) constants += self;
    else if (!excludeSelf) others += self;
    const flags = nodeFlags[target]!;
    if ((flags & NODE_FLAG.constantTarget) !== 0) {
      found.constantTarget += others + constants;
    } else {
      found.constantSource += constants;
      found[(flags & NODE_FLAG.singularSet) === 0 ? 'explained' : 'singular'] += others;
    }
  }
  const known = edgeIndices(edges, nodes);
  const unscoredEdges = countNaN(await scanner.aggregatedAt(known));
  const ofOthers = nodes * (nodes - 1);
  return {
    pairs: ofOthers + (excludeSelf ? 0 : nodes),
    unscored: { pairs: Object.values(found).reduce((sum, count) => sum + count), ...found },
    candidates: { pairs: ofOthers - known.length, unscored: unscoredOthers - unscoredEdges },
  };
}

/** `source * nodes + target` of each member of each set, in order. */
function memberIndices({ offsets, indices }: RaggedIndices): Uint32Array {
  const nodes = offsets.length - 1;
  const pairIndices = new Uint32Array(indices.length);
  for (let target = 0; target < nodes; target++) {
    for (let at = offsets[target]!; at < offsets[target + 1]!; at++) {
      pairIndices[at] = indices[at]! * nodes + target;
    }
  }
  return pairIndices;
}

/** `source * nodes + target` of each edge between two nodes, once. */
function edgeIndices([sources, targets]: FunctionEdges, nodes: number): Uint32Array {
  const pairIndices = new Set<number>();
  for (let edge = 0; edge < sources.length; edge++) {
    if (sources[edge] !== targets[edge]) pairIndices.add(sources[edge]! * nodes + targets[edge]!);
  }
  return Uint32Array.from(pairIndices);
}

function countNaN(values: Float64Array | Float32Array): number {
  let count = 0;
  for (const value of values) if (Number.isNaN(value)) count++;
  return count;
}
