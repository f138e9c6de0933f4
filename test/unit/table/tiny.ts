import type { RecordBatch, Table } from 'apache-arrow';
import {
  edgeTable,
  edgeTableBatches,
  type EdgeTableBatchesOptions,
  type EdgeTableOptions,
  type GsnnGraph,
  type Score,
} from '../../../src/index.ts';
import { conditioningSets, NODE_FLAG, type ScoreMatrices } from '../../../src/statistics.ts';

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
  // Nothing starts from c or ends there that has no score for another reason.
  nodeFlags: Uint8Array.of(0, 0, NODE_FLAG.constantSource | NODE_FLAG.constantTarget, 0),
};

const sets = conditioningSets(graph.edgeIndex['function,function'], 4);

/** How {@link scores} came to be: 20 samples. */
const provenance = {
  layerAgg: 'mean',
  reduction: 'l1',
  usePreNorm: true,
  ridge: 1e-8,
  loss: 'mse',
  samples: 20,
  backend: 'cpu',
} as const;

/** The edge table of {@link scores}. */
export function tinyTable(score: Score = 'corr', options?: EdgeTableOptions): Promise<Table> {
  return edgeTable(scores, graph, sets, { ...provenance, score }, options);
}

/** The same in batches. */
export async function tinyBatches(score: Score, options: EdgeTableBatchesOptions): Promise<RecordBatch[]> {
  const batches: RecordBatch[] = [];
  for await (const batch of edgeTableBatches(scores, graph, sets, { ...provenance, score }, options)) {
    batches.push(batch);
  }
  return batches;
}

/** A column as a plain list, NaN and null kept. */
export function column(table: Table, name: string): unknown[] {
  return Array.from(
    { length: table.numRows },
    (_, row) => (table.getChild(name)!.get(row) as unknown) ?? null,
  );
}
