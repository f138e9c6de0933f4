import type { Table } from 'apache-arrow';
import type { GsnnGraph } from '../../../src/model/graph.ts';
import { conditioningSets } from '../../../src/scores/conditioning-sets.ts';
import type { Score, ScoreMatrices } from '../../../src/scores/score-matrices.ts';
import { edgeTable, type EdgeTableOptions } from '../../../src/table/edge-table.ts';

/** Four functions; edges a -> b, c -> b and the self edge d -> d. Names that a careless writer would break. */
export const graph: GsnnGraph = {
  nodeNames: { input: ['in'], function: ['a', 'b, "quoted"', 'c', 'd\nß'], output: ['out'] },
  edgeIndex: {
    'input,function': [[0], [0]],
    'function,function': [
      [0, 2, 3],
      [1, 1, 3],
    ],
    'function,output': [[3], [0]],
  },
};

const nan = NaN;

/** Ties (0 and -0 among them), NaN, and a perfect correlation. Rows are sources. */
export const scores: ScoreMatrices = {
  nodes: 4,
  aggregated: Float64Array.of(1, 0.5, -0.25, 0, 0.5, 0.75, nan, -0, nan, 0.5, 0.1, 0.3, -1, 0.25, 0.125, nan),
  perPair: [
    Float64Array.of(1, 0.25, -0.5, 0, 0.5, 0.75, nan, 0, nan, 0.25, 0.1, 0.5, -1, 0.25, 0.25, nan),
    Float64Array.of(1, 0.75, 0, 0, 0.5, 0.75, nan, 0, nan, 0.75, 0.1, 0.1, -1, 0.25, 0, nan),
  ],
};

/** The edge table of {@link scores}, as from 20 samples. */
export function tinyTable(score: Score = 'corr', options?: EdgeTableOptions): Promise<Table> {
  const sets = conditioningSets(graph.edgeIndex['function,function'], 4);
  return edgeTable(
    scores,
    graph,
    sets,
    {
      score,
      layerAgg: 'mean',
      reduction: 'l1',
      usePreNorm: true,
      ridge: 1e-8,
      loss: 'mse',
      samples: 20,
      backend: 'cpu',
    },
    options,
  );
}

/** A column as a plain list, NaN and null kept. */
export function column(table: Table, name: string): unknown[] {
  return Array.from(
    { length: table.numRows },
    (_, row) => (table.getChild(name)!.get(row) as unknown) ?? null,
  );
}
