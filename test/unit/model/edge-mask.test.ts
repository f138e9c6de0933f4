import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Batch, batches, GsnnModel, MagnitudeEdgeInferer, type NamedEdge } from '../../../src/index.ts';
import { expectClose, goldenOf, pairCorrelation, rowsOf, valuesOf } from '../../support/golden-batches.ts';
import { fixture, withProfile } from '../../support/model-files.ts';
import { refusal } from '../../support/refusal.ts';

const name = 'layer-elu-mask';
const masked = [
  ['gene_0', 'gene_2'],
  ['in_3', 'gene_5'],
  ['gene_4', 'out_0'],
  ['gene_6', 'gene_6'],
] as const;

const arrow = ([src, dst]: NamedEdge): string => `${src} -> ${dst}`;

interface EdgeRow {
  readonly src_func: string;
  readonly dst_func: string;
  readonly src_idx: number;
  readonly dst_idx: number;
  readonly corr: number;
  readonly has_edge: boolean;
  readonly n_cond: number;
}

let model: GsnnModel;
let data: Batch[];

beforeAll(async () => {
  model = await GsnnModel.load(fixture(name), { name: 'm.onnx' });
  data = [];
  for await (const batch of batches(fixture('layer-elu', 'edges-data.npz'), model, { batchSize: 32 }))
    data.push(batch);
});
afterAll(() => model.release());

const create = (): Promise<MagnitudeEdgeInferer> => MagnitudeEdgeInferer.create(model, { backend: 'cpu' });

/** All samples' values under a mask: a list of `[samples, channels]` arrays, one per layer pair. */
async function maskedValues(mask: Float32Array): Promise<Record<'activations' | 'gradients', number[][]>> {
  const session = await model.trainingSession();
  const values: Record<'activations' | 'gradients', number[][]> = { activations: [], gradients: [] };
  for (const { x, y, size } of data) {
    const run = await valuesOf(session, { x: x as Float32Array, y: y as Float32Array, size }, mask);
    for (const kind of ['activations', 'gradients'] as const)
      run[kind].forEach((part, pair) => (values[kind][pair] ??= []).push(...part));
  }
  return values;
}

test('a masked model gives torch’s activations and gradients under the same mask', async () => {
  const { golden, batches } = goldenOf(name);
  const session = await model.trainingSession();
  for (const batch of batches) {
    const found = await valuesOf(session, batch, Float32Array.from(golden.edge_mask!.data));
    found.activations.forEach((values, block) => {
      expectClose(values, rowsOf(golden[`pre_${block}`]!, batch.from, batch.size), `block ${block}`);
    });
    found.gradients.forEach((values, pair) => {
      const expected = rowsOf(golden[`grad_pre_${pair + 1}`]!, batch.from, batch.size);
      expectClose(values, expected, `gradient of block ${pair + 1}`);
    });
  }
});

test('without a word every edge counts: the numbers of the same model without the input', async () => {
  const { golden, batches } = goldenOf('layer-elu');
  const session = await model.trainingSession();
  for (const batch of batches) {
    const { gradients } = await valuesOf(session, batch);
    gradients.forEach((values, pair) => {
      expectClose(values, rowsOf(golden[`grad_pre_${pair + 1}`]!, batch.from, batch.size), `pair ${pair}`);
    });
  }
});

test('edges are named in the order of the input, and every edge between two nodes is masked', () => {
  expect(model.maskableEdges).toHaveLength(31);
  expect([0, 12, 18, 30].map((edge) => model.maskableEdges[edge])).toEqual([
    ['gene_0', 'gene_2'],
    ['in_0', 'gene_0'],
    ['gene_4', 'out_0'],
    ['gene_6', 'gene_6'],
  ]);
  const zeros = (mask: Float32Array): number[] => Array.from(mask.keys()).filter((edge) => mask[edge] === 0);
  expect(zeros(model.edgeMask(masked))).toEqual([0, 16, 18, 30]);
  // The graph's own self edge, and the one that the model adds.
  expect(zeros(model.edgeMask([['gene_5', 'gene_5']]))).toEqual([11, 29]);
});

describe('fit', () => {
  test('scores are those of the masked model, judged by the graph without the edges', async () => {
    await using inferer = await create();
    await inferer.fit(data, { maskedEdges: masked });
    const table = await inferer.evaluate();
    const { activations, gradients } = await maskedValues(model.edgeMask(masked));
    const known = new Set(model.maskableEdges.map(arrow));
    for (const edge of masked) known.delete(arrow(edge));
    for (const row of table.toArray() as EdgeRow[]) {
      const { src_func, dst_func, src_idx, dst_idx, corr, has_edge } = row;
      const expected = pairCorrelation(activations, gradients, model.channelGroups, src_idx, dst_idx);
      // The engine's magnitudes are float32, the oracle's float64 over the same values: 6e-8 of each, 1e-6 of r.
      if (Number.isNaN(expected)) expect(corr).toBeNaN();
      else expect(corr).toBeCloseTo(expected, 6);
      expect(has_edge, arrow([src_func, dst_func])).toBe(known.has(arrow([src_func, dst_func])));
    }
    const partial = await inferer.evaluate({ score: 'partial' });
    // gene_2 had the parents gene_0 and gene_1, and keeps the one that is not masked.
    const intoGene2 = (partial.toArray() as EdgeRow[]).filter(({ dst_idx }) => dst_idx === 2);
    expect(new Set(intoGene2.map(({ n_cond }) => n_cond))).toEqual(new Set([1]));
  });

  test('a later fit without masked edges is judged by the whole graph again', async () => {
    await using fresh = await create();
    await fresh.fit(data);
    await using inferer = await create();
    await inferer.fit(data, { maskedEdges: masked });
    await inferer.fit(data);
    const [found, expected] = [await inferer.evaluate(), await fresh.evaluate()];
    for (const column of ['corr', 'has_edge'])
      expect([...found.getChild(column)!]).toEqual([...expected.getChild(column)!]);
  });

  test('statistics under a mask go with no others', async () => {
    await using inferer = await create();
    await inferer.fit(data, { maskedEdges: masked });
    const saved = await inferer.saveStats();
    const error = await refusal(inferer.fit(data, { reset: false }));
    expect(error.code).toBe('invalid-argument');
    expect(error.message).toMatch(/with the edge 'gene_0' -> 'gene_2' masked, which is not to be masked/);
    expect(inferer.samples).toBe(107);
    expect(await inferer.fit(data, { reset: false, maskedEdges: masked })).toBe(214);
    await using whole = await create();
    await whole.fit(data);
    expect((await refusal(whole.mergeStats(saved))).code).toBe('graph-mismatch');
    const graph = model.graphUnderMask(model.edgeMask(masked));
    await using judge = await MagnitudeEdgeInferer.create(model, { backend: 'cpu', graph });
    await judge.loadStats(saved);
    expect(judge.samples).toBe(107);
  });

  test('an unknown edge is named', async () => {
    await using inferer = await create();
    const error = await refusal(inferer.fit(data, { maskedEdges: [['gene_2', 'gene_0']] }));
    expect(error.code).toBe('invalid-argument');
    expect(error.message).toBe("The edge 'gene_2' -> 'gene_0' cannot be masked: the model has no such edge.");
  });

  test('a model without the input: how to export one is said', async () => {
    await using plain = await GsnnModel.load(fixture('layer-elu'), { name: 'p.onnx' });
    expect(plain.maskableEdges).toEqual([]);
    await using inferer = await MagnitudeEdgeInferer.create(plain, { backend: 'cpu' });
    const error = await refusal(inferer.fit(data, { maskedEdges: masked }));
    expect(error.code).toBe('invalid-argument');
    expect(error.message).toMatch(/^p\.onnx has no edge_mask input, .*edge_mask=True/);
  });
});

test('a mask of another length, and a mask for a model without the input', async () => {
  const { batches } = goldenOf(name);
  const error = await refusal(valuesOf(await model.trainingSession(), batches[0]!, new Float32Array(30)));
  expect(error.message).toBe('The edge mask has 30 values, but the model takes 31.');
  await using plain = await GsnnModel.load(fixture('layer-elu'));
  const other = await refusal(valuesOf(await plain.trainingSession(), batches[0]!, new Float32Array(31)));
  expect(other.message).toBe('The edge mask has 31 values, but the model takes none.');
});

interface Lists {
  edgeMask?: unknown;
  edgeMaskEdges: number[][];
}

test.each<[string, (profile: Lists) => unknown, string, RegExp]>([
  ['no name', (p) => delete p.edgeMask, 'invalid-model', /'edgeMask' is missing, a string was expected/],
  ['another name', (p) => (p.edgeMask = 'z'), 'invalid-model', /names the input 'z', which is not an input/],
  ['one list', (p) => p.edgeMaskEdges.pop(), 'invalid-model', /'edgeMaskEdges' is not a pair/],
  ['odd lists', (p) => p.edgeMaskEdges[0]!.pop(), 'invalid-model', /has 30 sources and 31 targets/],
  [
    'fewer edges than the input',
    (p) => (p.edgeMaskEdges = p.edgeMaskEdges.map((list) => list.slice(1))),
    'graph-mismatch',
    /'edge_mask' \(edgeMask\) is \[31\], but 'edgeMaskEdges' lists 30 edges/,
  ],
  [
    'an edge that the graph does not have',
    (p) => (p.edgeMaskEdges[0]![12] = 10),
    'graph-mismatch',
    /edge 12 of 'edgeMaskEdges' \(10 -> 0\) is not an edge of the profile's graph/,
  ],
  ['a node too many', (p) => (p.edgeMaskEdges[1]![0] = 14), 'graph-mismatch', /\(0 -> 14\) is not an edge/],
])('a profile with %s', async (_, edit, code, sentence) => {
  const bytes = withProfile(name, (profile) => edit(profile as unknown as Lists));
  const error = await refusal(GsnnModel.load(bytes, { name: 'm.onnx' }));
  expect(error.message).toMatch(sentence);
  expect(error.code).toBe(code);
});
