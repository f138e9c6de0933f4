import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Batch, batches, GsnnModel, MagnitudeEdgeInferer } from '../../../src/index.ts';
import { fixture } from '../../support/model-files.ts';
import { refusal } from '../../support/refusal.ts';

let model: GsnnModel;
let data: Batch[];

beforeAll(async () => {
  model = await GsnnModel.load(fixture('layer-elu'));
  data = [];
  const loader = batches(fixture('layer-elu', 'edges-data.npz'), model, { batchSize: 32 });
  for await (const batch of loader) data.push(batch);
});
afterAll(() => model.release());

const create = (options = {}): Promise<MagnitudeEdgeInferer> =>
  MagnitudeEdgeInferer.create(model, { backend: 'cpu', ...options });

/** Scores of the first so many batches of the data. */
async function scoresOf(count: number): Promise<unknown> {
  await using inferer = await create();
  await inferer.fit(data.slice(0, count));
  return (await inferer.evaluate()).getChild('corr')!.toArray();
}

/** The first batch with one value changed. */
function batchWith(key: 'x' | 'y', index: number, value: number): Batch {
  const values = Float32Array.from(data[0]![key] as Float32Array);
  values[index] = value;
  return { ...data[0]!, [key]: values };
}

describe('create', () => {
  test('a graph of another size: both sizes are named', async () => {
    const graph = {
      ...model.graph,
      nodeNames: { ...model.graph.nodeNames, function: [...model.graph.nodeNames.function, 'more'] },
    };
    const error = await refusal(create({ graph }));
    expect(error.code).toBe('graph-mismatch');
    expect(error.message).toBe('The graph has 8 function nodes, but the model has 7.');
  });

  test('post-norm values behind a layer norm', async () => {
    const error = await refusal(create({ usePreNorm: false }));
    expect(error.code).toBe('unsupported-model');
    expect(error.message).toMatch(/one of batch, groupbatch, none, but this one has norm 'layer'/);
  });

  test.each([{ reduction: 'l3' }, { backend: 'cuda' }])('%o', async (options) => {
    expect((await refusal(create(options))).code).toBe('invalid-argument');
  });

  test('WebGPU where there is none', async () => {
    expect((await refusal(create({ backend: 'webgpu' }))).code).toBe('no-adapter');
  });

  test('auto takes the CPU where there is no adapter, and says so', async () => {
    await using inferer = await create({ backend: 'auto' });
    expect(inferer.diagnostics.backend).toBe('cpu');
    expect(inferer.diagnostics.fallbacks.join()).toMatch(/no WebGPU.*computed on the CPU/);
  });
});

describe('a batch that is refused ends the fit, and the batches before it stay', () => {
  test.each<[string, () => Batch, string, RegExp]>([
    [
      'NaN in an input',
      () => batchWith('x', 4 * 5 + 2, NaN),
      'non-finite',
      /^Batch 2 holds NaN for input node 'in_2' in sample 5:/,
    ],
    [
      'an infinity in a target',
      () => batchWith('y', 1, -Infinity),
      'non-finite',
      /^Batch 2 holds -Infinity for output node 'out_1' in sample 0:/,
    ],
    [
      'an input so large that the model gives NaN',
      () => batchWith('x', 0, 3e38),
      'non-finite',
      /^Batch 2: the (activation|gradient) of block \d at function node 'gene_\d' came out of the model as NaN or infinite/,
    ],
    [
      'fewer values than samples',
      () => ({ ...data[0]!, size: 33 }),
      'batch-mismatch',
      /^Batch 2, x \(inputs\) holds 128 values, but 33 samples of 4 columns.* are 132\./,
    ],
    [
      'rows of another size',
      () => ({ x: [[1, 2, 3]], y: [[1, 2, 3]], size: 1 }),
      'batch-mismatch',
      /^Batch 2, x \(inputs\) row 0 holds 3 values, but the model takes 4\./,
    ],
    ['no samples', () => ({ ...data[0]!, size: 0 }), 'batch-mismatch', /^Batch 2 has size 0/],
  ])('%s', async (_, bad, code, sentence) => {
    await using inferer = await create();
    const error = await refusal(inferer.fit([data[0]!, data[1]!, bad(), data[2]!]));
    expect(error.message).toMatch(sentence);
    expect(error.code).toBe(code);
    expect(error.details.batch).toBe(2);
    expect(inferer.samples).toBe(64);
    expect((await inferer.evaluate()).getChild('corr')!.toArray()).toEqual(await scoresOf(2));
    // And the fit can go on where it ended.
    expect(await inferer.fit([data[2]!], { reset: false })).toBe(96);
    expect((await inferer.evaluate()).schema.metadata.get('n')).toBe('96');
  });
});

describe('evaluate', () => {
  test('fewer than three samples', async () => {
    await using inferer = await create();
    for (const size of [0, 2]) {
      const few = {
        x: (data[0]!.x as Float32Array).subarray(0, 4 * size),
        y: new Float32Array(3 * size),
        size,
      };
      if (size > 0) await inferer.fit([few]);
      const error = await refusal(inferer.evaluate());
      expect(error.code).toBe('too-few-samples');
      expect(error.message).toMatch(new RegExp(`at least 3 samples, but ${size} have`));
    }
  });

  test.each([
    { score: 'spearman' },
    { layerAgg: 'median' },
    { score: 'partial', ridge: -1 },
    { score: 'partial', ridge: NaN },
    { top: -1 },
    { top: 1.5 },
    { maxQ: 2 },
  ])('%o', async (options) => {
    await using inferer = await create();
    await inferer.fit(data);
    expect((await refusal(inferer.evaluate(options as object))).code).toBe('invalid-argument');
  });

  test('fewer rows: p and q are over all pairs all the same', async () => {
    await using inferer = await create();
    await inferer.fit(data);
    const all = await inferer.evaluate();
    const some = await inferer.evaluate({ top: 5, candidatesOnly: true });
    expect(some.numRows).toBe(5);
    const first = [...all.getChild('has_edge')!].indexOf(false);
    for (const { name } of all.schema.fields) {
      expect(some.getChild(name)!.get(0)).toEqual(all.getChild(name)!.get(first));
    }
    expect((await inferer.evaluate({ maxQ: 0 })).numRows).toBe(0);
  });
});

describe('a life in order', () => {
  test('an aborted fit stops between batches, and what was counted stays', async () => {
    await using inferer = await create();
    const controller = new AbortController();
    const reason = new Error('enough');
    const fit = inferer.fit(data, {
      signal: controller.signal,
      onProgress: ({ batch }) => {
        if (batch === 2) controller.abort(reason);
      },
    });
    await expect(fit).rejects.toBe(reason);
    expect(inferer.samples).toBe(64);
  });

  test('a batch in the model when the signal is aborted is not counted, and can be given again', async () => {
    await using inferer = await create();
    const controller = new AbortController();
    const reason = new Error('enough');
    // The inferer reads x on its way to the model, which only then begins.
    const aborting: Batch = {
      ...data[1]!,
      get x() {
        queueMicrotask(() => {
          controller.abort(reason);
        });
        return data[1]!.x;
      },
    };
    const fit = inferer.fit([data[0]!, aborting, ...data.slice(2)], { signal: controller.signal });
    await expect(fit).rejects.toBe(reason);
    expect(inferer.samples).toBe(32);
    expect(await inferer.fit(data.slice(1), { reset: false })).toBe(107);
    const found = await inferer.saveStats();
    await inferer.fit(data);
    expect(found).toEqual(await inferer.saveStats());
  });

  test('one fit at a time; scores may be asked for meanwhile', async () => {
    await using inferer = await create();
    const seen: (string | undefined)[] = [];
    const fit = inferer.fit(data, {
      onProgress: ({ batch }) => {
        if (batch === 2) void inferer.evaluate().then((table) => seen.push(table.schema.metadata.get('n')));
      },
    });
    expect((await refusal(inferer.fit(data))).code).toBe('busy');
    expect(() => {
      inferer.resetStats();
    }).toThrow(/resetStats cannot run while a fit is running/);
    expect(await fit).toBe(107);
    await inferer.evaluate();
    expect(seen).toEqual(['64']);
  });

  test('progress counts batches and samples, and knows the end where the loader does', async () => {
    await using inferer = await create();
    const seen: unknown[] = [];
    await inferer.fit(data, { onProgress: (progress) => seen.push(progress) });
    expect(seen[0]).toEqual({ batch: 1, batches: 4, samples: 32 });
    expect(seen.at(-1)).toEqual({ batch: 4, batches: 4, samples: 107 });
  });

  test('a fit starts over unless told otherwise; resetStats forgets', async () => {
    await using inferer = await create();
    expect(await inferer.fit(data.slice(0, 2))).toBe(64);
    expect(await inferer.fit(data.slice(2), { reset: false })).toBe(107);
    expect(await inferer.fit(data.slice(0, 1))).toBe(32);
    inferer.resetStats();
    expect(inferer.samples).toBe(0);
  });

  test('nothing after release, and release twice', async () => {
    const inferer = await create();
    await inferer.fit(data);
    await inferer.release();
    await inferer.release();
    expect((await refusal(inferer.fit(data))).code).toBe('released');
    expect((await refusal(inferer.evaluate())).code).toBe('released');
    expect((await refusal(inferer.saveStats())).code).toBe('released');
  });

  test('a model that is released first takes no new work, and the inferer still answers', async () => {
    const own = await GsnnModel.load(fixture('layer-elu'));
    const inferer = await MagnitudeEdgeInferer.create(own, { backend: 'cpu' });
    await inferer.fit(data);
    await own.release();
    expect((await refusal(inferer.fit(data))).code).toBe('released');
    expect((await inferer.evaluate()).numRows).toBe(42);
    expect((await refusal(MagnitudeEdgeInferer.create(own))).code).toBe('released');
    await inferer.release();
  });
});

describe('saved statistics', () => {
  test('halves that are saved and merged are the whole', async () => {
    await using first = await create();
    await using second = await create();
    await first.fit(data.slice(0, 2));
    await second.fit(data.slice(2));
    await using merged = await create();
    await merged.loadStats(await first.saveStats());
    await merged.mergeStats(await second.saveStats());
    expect(merged.samples).toBe(107);
    const found = (await merged.evaluate()).getChild('corr')!.toArray();
    const expected = (await scoresOf(4)) as Float64Array;
    // Sums about another pivot: float64 rounding only.
    found.forEach((score, row) => {
      if (Number.isNaN(expected[row])) expect(score).toBeNaN();
      else expect(Math.abs(score - expected[row]!)).toBeLessThan(1e-12);
    });
  });

  test.each<[string, object, RegExp]>([
    ['another reduction', { reduction: 'l2' }, /reduction l1 where l2 was expected/],
    ['another graph', { graph: 'other' }, /other edges: a graph with fingerprint/],
  ])('%s is refused, and what was held stays', async (_, options, sentence) => {
    await using other = await create();
    await other.fit(data.slice(0, 1));
    const edgeIndex = { ...model.graph.edgeIndex, 'function,function': [[0], [1]] };
    await using inferer = await create(
      'graph' in options ? { graph: { ...model.graph, edgeIndex } } : options,
    );
    await inferer.fit(data.slice(0, 2));
    for (const call of ['loadStats', 'mergeStats'] as const) {
      const error = await refusal(inferer[call](await other.saveStats()));
      expect(error.code).toBe('graph-mismatch');
      expect(error.message).toMatch(sentence);
      expect(inferer.samples).toBe(64);
    }
  });

  test('bytes that are no statistics', async () => {
    await using inferer = await create();
    expect((await refusal(inferer.loadStats(new Uint8Array([1, 2, 3])))).code).toBe('invalid-data');
  });
});
