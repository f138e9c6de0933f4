import type { Table } from 'apache-arrow';
import { expect, it } from 'vitest';
import { edgeTable, type EdgeTableOptions, type Scores } from '../../../src/index.ts';
import { createCpuEngine } from '../../../src/statistics.ts';
import { functionGraph } from '../../../bench/shared/problem.mjs';
import { largeBatch, largeRequest, memory, samples, shape } from '../../support/large-case.ts';

const { nodes } = shape;
const { conditioningSets } = largeRequest;
const edges: [number[], number[]] = [[], []];
for (let target = 0; target < nodes; target++) {
  for (let at = conditioningSets.offsets[target]!; at < conditioningSets.offsets[target + 1]!; at++) {
    edges[0].push(conditioningSets.indices[at]!);
    edges[1].push(target);
  }
}
const graph = functionGraph(nodes, edges);

async function scoresOf(workers: number, bytes: number, request: typeof largeRequest) {
  const engine = createCpuEngine(shape, { workers, memory: bytes });
  await engine.accumulateMagnitudes(largeBatch(1));
  return { engine, scores: await engine.scores(request) };
}

/** Every column as numbers, whatever batches it came in. */
function columnsOf(table: Table): Record<string, unknown[]> {
  return Object.fromEntries(table.schema.fields.map(({ name }) => [name, [...table.getChild(name)!]]));
}

const few: EdgeTableOptions[] = [
  { top: 1000 },
  { maxQ: 1e-20, candidatesOnly: true },
  { top: 7, excludeSelf: false },
  { maxQ: 0 },
];
/** More rows than are worth choosing: they come in order of their scores. */
const many: EdgeTableOptions[] = [{ maxQ: 0.9, top: 50_000 }];

it.each([
  ['corr', 'max', 0, few],
  ['partial', 'mean', 2, few],
  ['partial', 'mean', 2, many],
] as const)(
  'rows of %s (%s) are those of an engine with sums, %i workers',
  async (score, layerAgg, workers, choices) => {
    const request = { ...largeRequest, score, layerAgg };
    const large = await scoresOf(workers, memory, request);
    const twin = await scoresOf(0, Infinity, request);
    const provenance = {
      ...request,
      reduction: 'l1',
      usePreNorm: true,
      loss: 'mse',
      samples,
      backend: 'cpu',
    };
    const table = (scores: Scores, options: EdgeTableOptions): Promise<Table> =>
      edgeTable(scores, graph, conditioningSets, provenance, options);
    for (const options of choices) {
      const [found, expected] = [await table(large.scores, options), await table(twin.scores, options)];
      expect(String(found.schema)).toBe(String(expected.schema));
      expect(found.numRows).toBe(expected.numRows);
      if (options.maxQ === 1e-20) expect(found.numRows).toBeGreaterThan(500);
      // Pair scores too are formed by the same operations on the same numbers: not a bit differs.
      expect(columnsOf(found)).toEqual(columnsOf(expected));
    }
    await large.engine.release();
    await twin.engine.release();
  },
);
