import { expect, test } from 'vitest';
import { createCpuEngine } from '../../../src/engine/cpu-engine.ts';
import type { MagnitudeBatch } from '../../../src/engine/engine.ts';
import { conditioningSets } from '../../../src/scores/conditioning-sets.ts';
import type { Scores } from '../../../src/scores/scores.ts';
import { edgeTable } from '../../../src/table/edge-table.ts';
import { randomNumbers } from '../../support/random-numbers.ts';

/** As many rows as workers are asked for. */
const [nodes, pairs, samples] = [260, 3, 30];
const random = randomNumbers(11);
const layers = (): Float32Array[] =>
  Array.from({ length: pairs }, () => Float32Array.from({ length: samples * nodes }, () => random()));
const batch: MagnitudeBatch = { size: samples, x: layers(), y: layers() };
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

// Each p comes from the same code on the same numbers, whichever thread it is on: equal to the bit.
test.each(['corr', 'partial'] as const)(
  'a table of %s scores with p from workers is that of one thread, also once the workers have ended',
  async (score) => {
    const tables = async (workers: number): Promise<Buffer[]> => {
      const engine = createCpuEngine({ nodes, pairs, reduction: 'l1' }, { workers });
      const made: Buffer[] = [];
      const make = async (scores: Scores): Promise<void> => {
        const table = await edgeTable(scores, graph, sets, {
          ...{ score, layerAgg: 'mean' as const, reduction: 'l1', usePreNorm: true, ridge: 0.01 },
          ...{ loss: 'mse', samples, backend: 'cpu' },
        });
        const columns = table.schema.fields.map(
          ({ name }) => table.getChild(name)!.data[0]!.values as Uint8Array,
        );
        made.push(
          Buffer.concat(
            columns.map((values) => Buffer.from(values.buffer, values.byteOffset, values.byteLength)),
          ),
        );
      };
      try {
        await engine.accumulateMagnitudes(batch);
        const scores = await engine.scores({ score, layerAgg: 'mean', ridge: 0.01, conditioningSets: sets });
        await make(scores);
        await engine.release();
        await make(scores);
      } finally {
        await engine.release();
      }
      return made;
    };
    const [[before, after], [local]] = [await tables(2), await tables(0)];
    expect(before!.equals(local!)).toBe(true);
    expect(after!.equals(local!)).toBe(true);
  },
);
