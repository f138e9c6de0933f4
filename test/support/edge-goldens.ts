import type { Table } from 'apache-arrow';
import { expect } from 'vitest';
import type { BatchesOptions, LayerAggregation, Score } from '../../src/index.ts';

/** One golden edge table, as test/fixtures/models/<name>/edges.json lists it. */
export interface GoldenEdges {
  readonly file: string;
  readonly score: Score;
  readonly layerAgg: LayerAggregation;
  readonly reduction: 'l1' | 'l2';
  readonly usePreNorm: boolean;
  readonly ridge: number;
  readonly loss: 'mse' | 'l1';
  readonly excludeSelf: boolean;
  readonly n: number;
  readonly N: number;
  readonly P: number;
}

/** Models with golden edge tables. */
export const goldenModels = ['layer-elu', 'batch-relu', 'layer-elu-ragged'] as const;

/** The batches that the goldens were computed with: 32, 32, 32, 11. The last one has its own gradient scale. */
export const goldenBatches: BatchesOptions = { batchSize: 32 };

/**
 * The method's 1e-6 applies to equal magnitudes (test/unit/statistics, test/gpu/scores). Here the oracle's come from
 * float64 torch and ours from a float32 runtime, whose rounding the tables inherit: on these data torch's own float32
 * deviates from its float64 by up to 7e-7 for pre-norm and 1.6e-6 for post-norm values (half of them zero behind a
 * ReLU, so that the others weigh more). Runtimes that sum in another order were seen at three times that (2e-6,
 * 5.5e-6).
 */
function toleranceOf(golden: Table): number {
  return golden.schema.metadata.get('usePreNorm')?.toLowerCase() === 'false' ? 1e-5 : 4e-6;
}

type EdgeRow = Readonly<Record<string, unknown>>;

/**
 * Compares an edge table with the oracle's, pair by pair: the order of near ties may differ by a rounding error. Scores
 * must agree within the tolerance, p and q within the bounds that follow from it.
 */
export function expectGoldenEdges(found: Table, golden: Table): void {
  const tolerance = toleranceOf(golden);
  const samples = Number(golden.schema.metadata.get('n'));
  expect(found.schema.fields.map((field) => field.name)).toEqual(
    golden.schema.fields.map((field) => field.name),
  );
  expect(found.numRows).toBe(golden.numRows);
  const rows = rowsByPair(found);
  const scores = golden.schema.fields.map((field) => field.name).filter((name) => name.startsWith('corr'));
  const exact = ['src_func', 'dst_func', 'has_edge', 'n_cond'].filter((name) => golden.getChild(name));
  for (const [pair, expected] of rowsByPair(golden)) {
    const row = rows.get(pair)!;
    for (const column of exact) expect([pair, column, row[column]]).toEqual([pair, column, expected[column]]);
    for (const column of scores) expectNear(row, expected, column, tolerance);
    // p moves by at most the density of the normal distribution (0.4) times the step in z.
    const r = Number.isNaN(expected.corr) ? 0 : Number(expected.corr);
    const stepInZ = (Math.sqrt(samples) / (1 - r * r)) * tolerance;
    expectNear(row, expected, 'p_value', 0.4 * stepInZ);
    // q is at most p times rows / rank: checked here for gross errors only, and with p as exact as in float64 in
    // test/unit/scores.
    expectNear(row, expected, 'q_value', 0.4 * stepInZ * golden.numRows);
  }
  const sorted = Array.from(found.getChild('corr')!.toArray() as Float64Array).filter(
    (score) => !Number.isNaN(score),
  );
  expect(sorted).toEqual([...sorted].sort((a, b) => b - a));
}

function expectNear(row: EdgeRow, expected: EdgeRow, column: string, tolerance: number): void {
  const [value, wanted] = [Number(row[column]), Number(expected[column])];
  if (Number.isNaN(wanted) ? Number.isNaN(value) : Math.abs(value - wanted) <= tolerance) return;
  const pair = `${String(expected.src_func)} -> ${String(expected.dst_func)}`;
  throw new Error(`${pair}, ${column}: ${value}, the oracle has ${wanted} (tolerance ${tolerance})`);
}

function rowsByPair(table: Table): Map<string, EdgeRow> {
  const columns = table.schema.fields.map((field) => [field.name, table.getChild(field.name)!] as const);
  return new Map(
    Array.from({ length: table.numRows }, (_, index) => {
      const row = Object.fromEntries(columns.map(([name, column]) => [name, column.get(index) as unknown]));
      return [`${String(row.src_idx)},${String(row.dst_idx)}`, row];
    }),
  );
}
