import { createHash } from 'node:crypto';
import { Table, type RecordBatch } from 'apache-arrow';
import { expect, test } from 'vitest';
import {
  edgeTable,
  edgeTableBatches,
  type EdgeTableBatchesOptions,
  type GsnnGraph,
  type Scores,
} from '../../src/index.ts';
import {
  conditioningSets,
  createCpuEngine,
  type ScoreRequest,
  type SufficientStatistics,
} from '../../src/statistics.ts';
import { normalNumbers, randomNumbers } from './random-numbers.ts';

/**
 * SHA-256 of the bits of results that code changes must not alter: the same for every number of workers, with sums held
 * or products formed on demand. Fused products (relaxed SIMD) round differently, and have their own.
 */
const pinned: Record<'plain' | 'fused', Record<string, string>> = {
  plain: {
    'corr mean': '8a3d2b186ad847e4',
    'corr mean table': '3ffd399e5d7f3066',
    'corr mean top': '148d35f6c721f1dd',
    'corr mean maxQ': '6b1c3e5b2cbffea7',
    'corr mean candidates': '52ec933103b176de',
    'corr mean edited': 'd68412bd491c0579',
    'corr mean floor': 'd68412bd491c0579',
    'corr max': 'f31130c2d7fb6b34',
    'corr max table': 'df64dc58b4fe37bd',
    'corr max top': '3233c0f95853a0ec',
    'corr max maxQ': 'be1c6bd292e6ce6a',
    'corr max candidates': '1d2d29356d369cf0',
    'corr max edited': '40f877170d04c1f3',
    'corr max floor': '40f877170d04c1f3',
    'partial mean': 'bd381aa1abfebed7',
    'partial mean table': 'efe67c38310701f6',
    'partial mean top': '8a8d81d221104331',
    'partial mean maxQ': '1276f3e2e6b6f8ae',
    'partial mean candidates': '9f33249121af3198',
    'partial mean edited': 'a189fd8558b9d529',
    'partial mean floor': '935bc0d6f5bc680a',
    'partial max': 'b0ccf98ac69c6241',
    'partial max table': 'cfca32f44a57d429',
    'partial max top': '43ae54cbfd3a32b4',
    'partial max maxQ': '243e4773e20697a6',
    'partial max candidates': '34e49a04b6f029a7',
    'partial max edited': '1bbf98c4dc1407a2',
    'partial max floor': 'fb6e8b81e46e268b',
    sums: '23d42d1413e96bec',
    merged: '64eee94819cfd603',
  },
  fused: {
    'corr mean': '5e8fc1551515fb23',
    'corr mean table': 'd032b31a99c096bc',
    'corr mean top': 'c67b668a71d6f375',
    'corr mean maxQ': 'fc70250e0417a5f5',
    'corr mean candidates': 'c92ffb747643e96b',
    'corr mean edited': '02b6255ba8a5e673',
    'corr mean floor': '02b6255ba8a5e673',
    'corr max': 'ff5fc434dadf11c1',
    'corr max table': '6595561d79096cd7',
    'corr max top': '9a4d1d13cd3e0478',
    'corr max maxQ': '4597a63bbd1e4da9',
    'corr max candidates': '360d418c5022d3d3',
    'corr max edited': 'ccd54ffa8077d20a',
    'corr max floor': 'ccd54ffa8077d20a',
    'partial mean': 'cddce81822a75224',
    'partial mean table': 'a11ae9b9157de440',
    'partial mean top': 'de5299e8707144fe',
    'partial mean maxQ': 'aa8052e2294b1667',
    'partial mean candidates': 'c4b2708d30380851',
    'partial mean edited': '514fe22b04be56bb',
    'partial mean floor': 'f9c44721abef9022',
    'partial max': '55abe7a16d605f18',
    'partial max table': '502c4b195871d42a',
    'partial max top': '8ce1543b1e092c6e',
    'partial max maxQ': '1a651d624bd7dcc4',
    'partial max candidates': '46b13cecc3eca88b',
    'partial max edited': '279e3dbdd38a7d49',
    'partial max floor': '666a453b1aacab8f',
    sums: '4afa57efb026a3f7',
    merged: '2722734e7ddef7a6',
  },
};

const [nodes, pairs, samples] = [300, 3, 400];
const random = randomNumbers(3);
const edges: [number[], number[]] = [[], []];
for (let edge = 0; edge < 900; edge++) {
  edges[0].push(Math.floor(random() * nodes));
  edges[1].push(Math.floor(random() ** 2 * nodes));
}
const sets = conditioningSets(edges, nodes);
const graph: GsnnGraph = {
  nodeNames: { input: [], function: Array.from({ length: nodes }, (_, i) => `f${i}`), output: [] },
  edgeIndex: { 'input,function': [[], []], 'function,function': edges, 'function,output': [[], []] },
};

const normal = normalNumbers(11);
const shared = Float64Array.from({ length: samples }, normal);
const layers = (constant: number): Float32Array[] =>
  Array.from({ length: pairs }, () =>
    Float32Array.from({ length: samples * nodes }, (_, at) => {
      const node = at % nodes;
      if (node === constant) return 3;
      return 7 + normal() + (node % 3 === 0 ? shared[Math.floor(at / nodes)]! : 0);
    }),
  );
const batch = { size: samples, x: layers(20), y: layers(30) };

function hash(...arrays: readonly ArrayBufferView[]): string {
  const sum = createHash('sha256');
  for (const { buffer, byteOffset, byteLength } of arrays)
    sum.update(Buffer.from(buffer, byteOffset, byteLength));
  return sum.digest('hex').slice(0, 16);
}

async function tableBits(
  scores: Scores,
  { score, layerAgg, ridge }: ScoreRequest,
  { rowsPerBatch, ...options }: EdgeTableBatchesOptions,
): Promise<string> {
  const provenance = {
    score,
    layerAgg,
    ridge,
    reduction: 'l1',
    usePreNorm: true,
    loss: 'mse',
    samples,
    backend: 'cpu',
  };
  const batches: RecordBatch[] = [];
  if (rowsPerBatch === undefined)
    batches.push(...(await edgeTable(scores, graph, sets, provenance, options)).batches);
  else {
    const choice = { ...options, rowsPerBatch };
    for await (const batch of edgeTableBatches(scores, graph, sets, provenance, choice)) batches.push(batch);
  }
  const table = new Table(batches);
  const names = ['src_idx', 'dst_idx', 'p_value', 'q_value'];
  const columns = table.schema.fields.map(({ name }) => name);
  const numbers = columns.filter((name) => names.includes(name) || name.startsWith('corr'));
  return hash(...numbers.map((name) => table.getChild(name)!.toArray() as ArrayBufferView));
}

function sumsOf({ pairs }: SufficientStatistics): string {
  return hash(
    ...pairs.flatMap(({ pivotX, pivotY, sumX, sumY, sumY2, sumXY, sumXX }) => [
      ...[pivotX, pivotY, sumX, sumY, sumY2, sumXY, sumXX],
    ]),
  );
}

/** The tests of {@link pinned}. */
export function testPinnedBits(): void {
  test.each([
    { workers: 0, memory: Infinity },
    { workers: 2, memory: Infinity },
    { workers: 0, memory: 4e6 },
    { workers: 2, memory: 4e6 },
  ])('sums, scores and tables have the bits they had, with %o', async ({ workers, memory }) => {
    const engine = createCpuEngine({ nodes, pairs, reduction: 'l1' }, { workers, memory });
    await engine.accumulateMagnitudes(batch);
    const found: Record<string, string> = {};
    for (const score of ['corr', 'partial'] as const) {
      for (const layerAgg of ['mean', 'max'] as const) {
        const request = { score, layerAgg, ridge: 1e-8, conditioningSets: sets };
        const scores = await engine.scores(request);
        const { aggregated, perPair, nodeFlags } = await scores.matrices();
        const name = `${score} ${layerAgg}`;
        found[name] = hash(aggregated, ...perPair, nodeFlags);
        found[`${name} table`] = await tableBits(scores, request, {});
        found[`${name} top`] = await tableBits(scores, request, { top: 500, candidatesOnly: true });
        found[`${name} maxQ`] = await tableBits(scores, request, { maxQ: 0.05 });
        const inBatches = { rowsPerBatch: 1 << 14 };
        // If scores of layer pairs are recomputed, all tables come in groups of rows.
        if (memory === Infinity)
          expect(await tableBits(scores, request, inBatches)).toBe(found[`${name} table`]);
        const candidates = { candidatesOnly: true, maxQ: 0.9 };
        found[`${name} candidates`] = await tableBits(scores, request, candidates);
        const few = {
          ...request,
          conditioningSets: conditioningSets([edges[0].slice(3), edges[1].slice(3)], nodes),
        };
        found[`${name} edited`] = hash((await (await engine.scores(few)).matrices()).aggregated);
        found[`${name} floor`] = hash((await engine.score({ ...request, varianceFloor: 0.5 })).aggregated);
      }
    }
    found.sums = sumsOf(await engine.statistics());
    await engine.merge(await engine.statistics());
    found.merged = sumsOf(await engine.statistics());
    const kind = engine.diagnostics.notes[0]!.includes('fused') ? 'fused' : 'plain';
    await engine.release();
    expect(found).toEqual(pinned[kind]);
  });
}
