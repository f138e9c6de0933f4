import { expect } from 'vitest';
import { edgeTable, type GsnnGraph } from '../../src/index.ts';
import { conditioningSets, createWebGpuEngine } from '../../src/statistics.ts';
import { degreesOfFreedomGroups } from '../../src/scoring/degrees-of-freedom.ts';
import { HostScoreScanner, pairScoresIn } from '../../src/ranking/host-score-scanner.ts';
import { nextFloat32, orderedBits } from '../../src/engine/webgpu/scoring/gpu-score-scanner.ts';
import { BinnedRanking } from '../../src/ranking/binned-ranking.ts';
import type { RankedPairs } from '../../src/ranking/rank-pairs.ts';
import type { RowChoice } from '../../src/ranking/row-choice.ts';
import type { ScoreScanner } from '../../src/ranking/score-scanner.ts';
import { edgeSet } from '../../src/table/edge-set.ts';
import { normalNumbers } from '../support/random-numbers.ts';
import { test } from '../support/gpu.ts';

const yielder = (): undefined => undefined;

/** Enough nodes for a table whose rows are worth choosing; targets with 0 to 6 parents, and a constant source. */
const nodes = 270;
const edges = [
  Array.from({ length: 3 * nodes }, (_, e) => (e * 7 + 3) % nodes),
  Array.from({ length: 3 * nodes }, (_, e) => (e * e + (e >> 3)) % nodes),
] as const;
const sets = conditioningSets(edges, nodes);
const conditioned = Int32Array.from({ length: nodes }, (_, j) => sets.offsets[j + 1]! - sets.offsets[j]!);
const samples = 60;

async function scoredOnGpu(device: GPUDevice) {
  const shape = { nodes, pairs: 2, reduction: 'l1' } as const;
  // Several panels
  const engine = await createWebGpuEngine({ device, shape, bindingBytes: 8 * 272 * 100 });
  const normal = normalNumbers(11);
  const matrix = () => Float32Array.from({ length: samples * nodes }, () => 4 + normal());
  const [x, y] = [
    [matrix(), matrix()],
    [matrix(), matrix()],
  ];
  for (let row = 0; row < samples; row++) {
    for (const p of [0, 1]) {
      x[p]![row * nodes + 5] = 2;
      for (let j = 0; j < nodes; j += 4)
        y[p]![row * nodes + j]! += 2 * x[p]![row * nodes + ((j * 5) % nodes)]!;
      // Beyond where z is clipped
      y[p]![row * nodes + 9] = x[p]![row * nodes + 8]!;
    }
  }
  await engine.accumulateMagnitudes({ size: samples, x, y });
  const scores = await engine.scores({
    score: 'partial',
    layerAgg: 'mean',
    ridge: 1e-8,
    conditioningSets: sets,
  });
  return { engine, scores };
}

test('rows chosen on the GPU are those chosen on the host from the same scores', async ({ gpu }) => {
  const { engine, scores } = await scoredOnGpu(gpu.device);
  const dfGroups = degreesOfFreedomGroups(nodes, samples, conditioned);
  const matrices = await scores.matrices();
  const host = new HostScoreScanner(matrices, dfGroups.classOf, yielder, pairScoresIn(matrices));
  const reader = scores.reader();
  const device = reader.scanner(dfGroups.classOf, yielder);
  const all = {
    excludeSelf: true,
    top: Infinity,
    maxQ: 1,
    candidatesOnly: false,
    edges: edgeSet(edges, nodes),
  };
  const choices = [
    { ...all, top: 150 },
    { ...all, maxQ: 0.05 },
    { ...all, maxQ: 0.2, candidatesOnly: true, top: 40 },
    { ...all, excludeSelf: false, top: 20 },
  ];
  for (const tuning of [
    { bins: 4, mostBins: 64, budget: 100, rounds: 3, spareRows: 10 },
    { bins: 512, mostBins: 1024, budget: 1e6, rounds: 1, spareRows: 1000 },
  ]) {
    for (const choice of choices) {
      const rows = async (scanner: ScoreScanner, choice: RowChoice): Promise<RankedPairs[]> => {
        const found: RankedPairs[] = [];
        const ranking = new BinnedRanking(scanner, dfGroups, choice, tuning);
        for await (const group of ranking.groups(Infinity)) found.push(group);
        return found;
      };
      const expected = await rows(host, choice);
      const found = await rows(device, choice);
      expect(expected[0]!.pairIndices.length).toBeGreaterThan(10);
      expect(found).toEqual(expected);
    }
  }
  reader.release();
  scores.release();
  await engine.release();
});

test('a table made from scores on the GPU is the one made from their matrices', async ({ gpu }) => {
  const { engine, scores } = await scoredOnGpu(gpu.device);
  const names = Array.from({ length: nodes }, (_, i) => `f${i}`);
  const graph: GsnnGraph = {
    nodeNames: { input: [], function: names, output: [] },
    edgeIndex: { 'input,function': [[], []], 'function,function': edges, 'function,output': [[], []] },
  };
  const settings = { score: 'partial', layerAgg: 'mean', ridge: 1e-8, loss: 'mse', samples } as const;
  const provenance = { ...settings, reduction: 'l1', usePreNorm: true, backend: 'webgpu' };
  const whole = await edgeTable(await scores.matrices(), graph, sets, provenance);
  const q = whole.getChild('q_value')!.toArray() as Float64Array;
  const hasEdge = whole.getChild('has_edge')!;
  for (const options of [{ top: 100 }, { maxQ: 0.1 }, { maxQ: 0.1, candidatesOnly: true, top: 30 }]) {
    const table = await edgeTable(scores, graph, sets, provenance, options);
    const rows = [...q.keys()]
      .filter((row) => q[row]! <= (options.maxQ ?? 1) && !(options.candidatesOnly && hasEdge.get(row)))
      .slice(0, options.top);
    expect(rows.length).toBeGreaterThan(20);
    for (const { name } of whole.schema.fields) {
      const expected = whole.getChild(name)!;
      expect([...table.getChild(name)!], name).toEqual(rows.map((row) => expected.get(row) as unknown));
    }
    expect(table.schema.metadata).toEqual(whole.schema.metadata);
  }
  scores.release();
  await engine.release();
});

test('bits of thresholds are in the order of the numbers, and a threshold is reached by the same float32', () => {
  const rising = [-Infinity, -1, -0.5, -1e-40, -0, 1e-45, 1e-10, 0.5, 1, Infinity];
  const bits = rising.map(orderedBits);
  expect([...bits].sort((a, b) => a - b)).toEqual(bits);
  expect(orderedBits(0)).toBe(orderedBits(-0));
  for (const threshold of [0.1, -0.1, 1 / 3, -1 / 3, 1e-50, -1e-44, 0.25]) {
    const float = nextFloat32(threshold);
    expect(float).toBeGreaterThanOrEqual(threshold);
    // The float32 before it
    const word = new Uint32Array(Float32Array.of(float).buffer)[0]!;
    const before = new Float32Array(Uint32Array.of(float > 0 ? word - 1 : word + 1).buffer)[0]!;
    expect(before).toBeLessThan(threshold);
  }
});
