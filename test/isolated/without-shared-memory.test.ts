import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Scores } from '../../src/index.ts';
import { conditioningSets, type MagnitudeBatch } from '../../src/statistics.ts';
import { randomNumbers } from '../support/random-numbers.ts';

/** As many rows as workers are asked for. */
const [nodes, pairs, samples] = [260, 3, 30];
const random = randomNumbers(11);
/** Some nodes never change: their pairs have no scores. */
const layers = (): Float32Array[] =>
  Array.from({ length: pairs }, () =>
    Float32Array.from({ length: samples * nodes }, (_, at) => ((at % nodes) % 50 === 7 ? 1 : random())),
  );
const batch: MagnitudeBatch = { size: samples, x: layers(), y: layers() };
/** Nothing changes: there is no score at all. */
const still = layers().map((values) => values.fill(1));
const stillBatch: MagnitudeBatch = { size: samples, x: still, y: still };
/** Targets of none, one or two parents: degrees of freedom differ. */
const edges: [number[], number[]] = [[], []];
for (let target = 0; target < nodes; target++) {
  for (let k = 0; k < target % 3; k++) {
    edges[0].push((target + 5 + k) % nodes);
    edges[1].push(target);
  }
}
const sets = conditioningSets(edges, nodes);
const graph = {
  nodeNames: { input: [], function: Array.from({ length: nodes }, (_, i) => `f${i}`), output: [] },
  edgeIndex: { 'input,function': [[], []], 'function,function': edges, 'function,output': [[], []] },
} as const;

/** The bytes of all columns of a table made while there are workers, and of one made when they have ended. */
async function tables(score: 'corr' | 'partial', batch: MagnitudeBatch, workers: number): Promise<Buffer[]> {
  const { createCpuEngine } = await import('../../src/statistics.ts');
  const { edgeTable } = await import('../../src/index.ts');
  const engine = createCpuEngine({ nodes, pairs, reduction: 'l1' }, { workers });
  const make = async (scores: Scores): Promise<Buffer> => {
    const table = await edgeTable(scores, graph, sets, {
      ...{ score, layerAgg: 'mean' as const, reduction: 'l1', usePreNorm: true, ridge: 0.01 },
      ...{ loss: 'mse', samples, backend: 'cpu' },
    });
    const columns = table.schema.fields.map(
      ({ name }) => table.getChild(name)!.data[0]!.values as Uint8Array | Float64Array,
    );
    // Whoever has the table may send it on, or make a Blob of it.
    for (const { buffer } of columns) expect(buffer).toBeInstanceOf(ArrayBuffer);
    return Buffer.concat(
      columns.map((values) => {
        // Whichever bits NaN has, it is NaN.
        const alike =
          values instanceof Float64Array ? values.map((value) => (value === value ? value : NaN)) : values;
        return Buffer.from(alike.buffer, alike.byteOffset, alike.byteLength);
      }),
    );
  };
  try {
    await engine.accumulateMagnitudes(batch);
    const scores = await engine.scores({ score, layerAgg: 'mean', ridge: 0.01, conditioningSets: sets });
    const shared = workers > 0 && typeof SharedArrayBuffer !== 'undefined';
    const { aggregated, perPair } = await scores.matrices();
    for (const { buffer } of [aggregated, ...perPair]) expect(buffer instanceof ArrayBuffer).toBe(!shared);
    const before = await make(scores);
    await engine.release();
    return [before, await make(scores)];
  } finally {
    await engine.release();
  }
}

// Each number comes from the same code on the same numbers, whichever thread it is on: equal to the bit.
describe.each([
  ['with memory in common', true],
  ['without', false],
])('workers %s', (_, shared) => {
  beforeEach(() => {
    vi.resetModules();
    if (!shared) vi.stubGlobal('SharedArrayBuffer', undefined);
  });
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  test.each([
    ['corr', batch],
    ['partial', batch],
    ['corr', stillBatch],
  ] as const)(
    'rank %s scores as one thread does, and so does it once they have ended',
    async (score, rows) => {
      const [before, after] = await tables(score, rows, 2);
      const [local] = await tables(score, rows, 0);
      expect(before!.equals(local!)).toBe(true);
      expect(after!.equals(local!)).toBe(true);
    },
  );
});
