import type { Scores } from '../engine/scores/scores.ts';
import { scoreCoverage } from '../engine/scores/unscored.ts';
import type { GsnnGraph } from '../model/graph.ts';
import type { RaggedIndices } from '../statistics/ragged.ts';
import { createYielder } from '../statistics/yielder.ts';
import { checkEdgeTableOptions, edgeTable, type EdgeTableProvenance } from '../table/edge-table.ts';
import type { EdgeScores } from './inferer-options.ts';

/** Scores, and the facts for their table. */
export interface ScoredGraph {
  /** Owned by the caller until released */
  readonly scores: Scores;
  readonly graph: GsnnGraph;
  /** For each function node, the conditioning set of partial scores */
  readonly parents: RaggedIndices;
  readonly provenance: EdgeTableProvenance;
}

/** Adds the table and the coverage to scores. */
export function edgeScores({ scores, graph, parents, provenance }: ScoredGraph): EdgeScores {
  const { nodes, pairs, scoredTargets, nodeFlags, tests, gpu } = scores;
  return {
    nodes,
    pairs,
    scoredTargets,
    nodeFlags,
    tests,
    gpu,
    matrices: () => scores.matrices(),
    aggregate: () => scores.aggregate(),
    reader: () => scores.reader(),
    release: () => {
      scores.release();
    },
    table: async (rows = {}) => {
      checkEdgeTableOptions(rows);
      return edgeTable(scores, graph, parents, provenance, { ...rows });
    },
    coverage: ({ excludeSelf = true, signal } = {}) =>
      scoreCoverage(scores, {
        conditioningSets: provenance.score === 'partial' ? parents : undefined,
        edges: graph.edgeIndex['function,function'],
        excludeSelf,
        yielder: createYielder(signal),
      }),
  };
}
