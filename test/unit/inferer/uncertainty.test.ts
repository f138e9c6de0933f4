import { Float64, type Table } from 'apache-arrow';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type Batch,
  batches,
  type EvaluateOptions,
  GsnnModel,
  MagnitudeEdgeInferer,
  type UncertaintyOptions,
} from '../../../src/index.ts';
import { raggedFromLists, type ScoreRequest } from '../../../src/statistics.ts';
import { functionParents } from '../../../src/model/graph.ts';
import { randomBits, shuffledWithin } from '../../../src/statistics/shuffle.ts';
import { valuesOf } from '../../support/golden-batches.ts';
import { fixture } from '../../support/model-files.ts';
import { refusal } from '../../support/refusal.ts';
import { scoresByDefinition, type PairRows } from '../../support/score-definition.ts';

const plan = { groups: 5, permutations: 9, seed: 3 };
const columns = ['corr_se', 'sign_stability', 'p_empirical'];

let model: GsnnModel;
let data: Batch[];

beforeAll(async () => {
  model = await GsnnModel.load(fixture('layer-elu'));
  data = [];
  const loader = batches(fixture('layer-elu', 'edges-data.npz'), model, { batchSize: 32 });
  for await (const batch of loader) data.push(batch);
});
afterAll(() => model.release());

const create = (uncertainty: boolean | UncertaintyOptions = plan): Promise<MagnitudeEdgeInferer> =>
  MagnitudeEdgeInferer.create(model, { backend: 'cpu', uncertainty });

const valuesIn = (table: Table, names: readonly string[]): unknown[][] =>
  names.map((name) => [...table.getChild(name)!] as unknown[]);

/** The same columns of uncertainty, up to the rounding of sums whose batches were cut otherwise. */
async function expectUncertainty(
  inferer: MagnitudeEdgeInferer,
  expected: readonly unknown[][],
): Promise<void> {
  const found = valuesIn(await inferer.evaluate(), columns);
  expected.forEach((values, column) => {
    values.forEach((value, row) => {
      if (Number.isNaN(value)) expect(found[column]![row]).toBeNaN();
      else expect(found[column]![row]).toBeCloseTo(value as number, 12);
    });
  });
}

/** The columns of uncertainty after a fit of these batches. */
async function expectedOf(fitted: readonly Batch[], options: EvaluateOptions = {}): Promise<unknown[][]> {
  await using inferer = await create();
  await inferer.fit(fitted);
  return valuesIn(await inferer.evaluate(options), columns);
}

/** The l1 magnitudes that the model gives, by definition. */
async function magnitudeRows(): Promise<PairRows[]> {
  const session = await model.trainingSession();
  const pairs = Array.from({ length: model.layers - 1 }, () => ({
    x: [] as number[][],
    y: [] as number[][],
  }));
  const { channelGroups } = model;
  const channels = channelGroups.length;
  for (const { x, y, size } of data) {
    const run = await valuesOf(session, { x: x as Float32Array, y: y as Float32Array, size });
    const rows = (values: Float32Array): number[][] =>
      Array.from({ length: size }, (_, sample) => {
        const row = new Array<number>(model.graph.nodeNames.function.length).fill(0);
        channelGroups.forEach((node, c) => (row[node]! += Math.abs(values[sample * channels + c]!)));
        return row;
      });
    pairs.forEach((pair, p) => {
      pair.x.push(...rows(run.activations[p]!));
      pair.y.push(...rows(run.gradients[p]!));
    });
  }
  return pairs;
}

test.each(['corr', 'partial'] as const)(
  'the columns hold what the definition gives of the magnitudes: %s',
  async (score) => {
    await using inferer = await create();
    await inferer.fit(data);
    const table = await inferer.evaluate({ score });
    const pairs = await magnitudeRows();
    const request: ScoreRequest = {
      score,
      layerAgg: 'mean',
      ridge: 1e-8,
      conditioningSets: raggedFromLists(functionParents(model.graph)),
    };
    const starts = [0, 21, 42, 64, 85, 107];
    const whole = scoresByDefinition(pairs, request);
    const without = starts.slice(1).map((end, group) => {
      const stays = (_: unknown, row: number): boolean => row < starts[group]! || row >= end;
      return scoresByDefinition(
        pairs.map(({ x, y }) => ({ x: x.filter(stays), y: y.filter(stays) })),
        request,
      );
    });
    const shuffled = Array.from({ length: plan.permutations }, (_, shuffle) => {
      const order = [...shuffledWithin(starts, randomBits(plan.seed, shuffle))];
      return scoresByDefinition(
        pairs.map(({ x, y }) => ({ x, y: order.map((row) => y[row]!) })),
        request,
      );
    });
    const column = (name: string): number[] => [...table.getChild(name)!] as number[];
    const [sources, targets, errors, stability, p] = ['src_idx', 'dst_idx', ...columns].map(column);
    let scored = 0;
    sources!.forEach((source, row) => {
      const e = source * 7 + targets![row]!;
      const r = whole[e]!;
      if (Number.isNaN(r)) {
        expect([errors![row], stability![row], p![row]]).toEqual([NaN, NaN, 1]);
        return;
      }
      scored++;
      const sizes = starts.slice(1).map((end, group) => end - starts[group]!);
      const h = sizes.map((size) => 107 / size);
      const estimate = h.reduce((sum, hk, k) => sum - (1 - 1 / hk) * without[k]![e]!, 5 * r);
      const variance = h.reduce(
        (sum, hk, k) => sum + (hk * r - (hk - 1) * without[k]![e]! - estimate) ** 2 / (hk - 1) / 5,
        0,
      );
      // Magnitudes are kept in float32: 6e-8 of each, and a jackknife multiplies differences by h - 1 = 4.
      expect(errors![row]).toBeCloseTo(Math.sqrt(variance), 6);
      expect(stability![row]).toBe(without.filter((scores) => scores[e]! > 0 === r > 0).length / 5);
      expect(p![row]).toBe((1 + shuffled.filter((scores) => scores[e]! >= r).length) / 10);
    });
    expect(scored).toBe(score === 'corr' ? 25 : 15);
  },
);

describe('the table', () => {
  test('is as without uncertainty, with columns at its end and how they came to be', async () => {
    await using plain = await MagnitudeEdgeInferer.create(model, { backend: 'cpu' });
    await plain.fit(data);
    const bare = await plain.evaluate({ score: 'partial' });
    await using inferer = await create();
    await inferer.fit(data);
    const table = await inferer.evaluate({ score: 'partial' });
    const names = bare.schema.fields.map(({ name }) => name);
    expect(table.schema.fields.map(({ name }) => name)).toEqual([...names, ...columns]);
    expect(valuesIn(table, names)).toEqual(valuesIn(bare, names));
    expect(table.schema.fields.slice(-3).every(({ type }) => type instanceof Float64)).toBe(true);
    expect(Object.fromEntries(table.schema.metadata)).toEqual({
      ...Object.fromEntries(bare.schema.metadata),
      groups: '5',
      permutations: '9',
      seed: '3',
    });
    const quick = await inferer.evaluate({ score: 'partial', uncertainty: false });
    expect(quick.schema.fields.map(({ name }) => name)).toEqual(names);
    expect([...quick.schema.metadata]).toEqual([...bare.schema.metadata]);
  });

  test('without permutations has no empirical p; true stands for the defaults', async () => {
    await using inferer = await create(true);
    await inferer.fit(data);
    const table = await inferer.evaluate();
    expect(table.schema.fields.slice(-2).map(({ name }) => name)).toEqual(['corr_se', 'sign_stability']);
    expect(table.schema.metadata.get('groups')).toBe('10');
  });

  test('fewer rows are rows of the whole', async () => {
    await using inferer = await create();
    await inferer.fit(data);
    const top = await inferer.evaluate({ top: 4 });
    const all = await expectedOf(data);
    expect(valuesIn(top, columns)).toEqual(all.map((values) => values.slice(0, 4)));
  });

  test('record batches have the columns too; a handle of scores tells none', async () => {
    await using inferer = await create();
    await inferer.fit(data);
    const found: unknown[][] = columns.map(() => []);
    for await (const batch of inferer.evaluateBatches({ rowsPerBatch: 20 })) {
      columns.forEach((name, c) => found[c]!.push(...batch.getChild(name)!));
    }
    expect(found).toEqual(await expectedOf(data));
    const scores = await inferer.scores();
    expect((await scores.table()).getChild('corr_se')).toBeNull();
    scores.release();
  });

  test('another graph is judged by its own conditioning sets', async () => {
    const edgeIndex = {
      ...model.graph.edgeIndex,
      'function,function': [
        [0, 1],
        [2, 2],
      ] as const,
    };
    const graph = { ...model.graph, edgeIndex };
    await using other = await MagnitudeEdgeInferer.create(model, {
      backend: 'cpu',
      graph,
      uncertainty: plan,
    });
    await other.fit(data);
    const expected = valuesIn(await other.evaluate({ score: 'partial' }), columns);
    expect(await expectedOf(data, { score: 'partial', graph })).toEqual(expected);
  });
});

describe('what is kept is what is counted', () => {
  test('a fit that goes on', async () => {
    await using inferer = await create();
    await inferer.fit(data.slice(0, 2));
    await inferer.fit(data.slice(2), { reset: false });
    await expectUncertainty(inferer, await expectedOf(data));
    await inferer.fit(data.slice(1));
    await expectUncertainty(inferer, await expectedOf(data.slice(1)));
  });

  test('a fit that is aborted', async () => {
    await using inferer = await create();
    const controller = new AbortController();
    const aborted = inferer.fit(data, {
      signal: controller.signal,
      onProgress: ({ batch }) => {
        if (batch === 3) controller.abort(new Error('enough'));
      },
    });
    await expect(aborted).rejects.toThrow('enough');
    await expectUncertainty(inferer, await expectedOf(data.slice(0, 3)));
    await inferer.fit(data.slice(3), { reset: false });
    await expectUncertainty(inferer, await expectedOf(data));
  });

  test('a batch that the model makes NaN of', async () => {
    await using inferer = await create();
    const x = Float32Array.from(data[0]!.x as Float32Array);
    x[0] = 3e38;
    const bad = { ...data[0]!, x };
    expect((await refusal(inferer.fit([data[0]!, data[1]!, bad]))).code).toBe('non-finite');
    await expectUncertainty(inferer, await expectedOf(data.slice(0, 2)));
    await inferer.fit(data.slice(2), { reset: false });
    await expectUncertainty(inferer, await expectedOf(data));
  });

  test('scores asked for while a fit runs are of the samples until then', async () => {
    await using inferer = await create();
    const seen: Promise<Table>[] = [];
    await inferer.fit(data, {
      onProgress: ({ batch }) => {
        if (batch === 2) seen.push(inferer.evaluate());
      },
    });
    const table = await seen[0]!;
    expect(table.schema.metadata.get('n')).toBe('64');
    expect(valuesIn(table, columns)).toEqual(await expectedOf(data.slice(0, 2)));
  });

  test('masked edges', async () => {
    await using masking = await GsnnModel.load(fixture('layer-elu-mask'));
    const edge = ['gene_0', 'gene_2'] as const;
    await using inferer = await MagnitudeEdgeInferer.create(masking, { backend: 'cpu', uncertainty: plan });
    await inferer.fit(data, { maskedEdges: [edge] });
    const masked = await inferer.evaluate({ score: 'partial' });
    await inferer.fit(data);
    const whole = await inferer.evaluate({ score: 'partial' });
    const error = (table: Table): unknown => {
      const [sources, targets, errors] = valuesIn(table, ['src_func', 'dst_func', 'corr_se']);
      return errors!.find((_, row) => sources![row] === edge[0] && targets![row] === edge[1]);
    };
    // Known parents have no partial score; a masked edge leaves its target's parents.
    expect(error(whole)).toBeNaN();
    expect(error(masked)).toBeGreaterThan(0);
  });
});

describe('refusals', () => {
  test.each([
    [{ groups: 1 }, 'uncertainty.groups must be a whole number of at least 2 and is 1.'],
    [{ groups: 2.5 }, 'uncertainty.groups must be a whole number of at least 2 and is 2.5.'],
    [{ permutations: -1 }, 'uncertainty.permutations must be a whole number of at least 0 and is -1.'],
    [{ seed: 2 ** 32 }, 'uncertainty.seed must be a whole number from 0 to 4294967295 and is 4294967296.'],
    [{ maxBytes: 0 }, 'uncertainty.maxBytes must be a whole number of at least 1 and is 0.'],
  ])('%o', async (options, sentence) => {
    const error = await refusal(create(options));
    expect([error.code, error.message]).toEqual(['invalid-argument', sentence]);
  });

  test('uncertainty of an inferer that kept nothing for it', async () => {
    await using inferer = await create(false);
    await inferer.fit(data);
    const error = await refusal(inferer.evaluate({ uncertainty: true }));
    expect(error.code).toBe('invalid-argument');
    expect(error.message).toMatch(/created without it and has kept nothing/);
  });

  test.each(['loadStats', 'mergeStats'] as const)('samples of a file: %s', async (call) => {
    await using other = await create(false);
    await other.fit(data.slice(0, 1));
    await using inferer = await create();
    await inferer.fit(data.slice(1, 3));
    await inferer[call](await other.saveStats());
    const error = await refusal(inferer.evaluate());
    expect(error.code).toBe('invalid-argument');
    expect(error.message).toMatch(
      call === 'loadStats'
        ? /32 of the 32 that the statistics hold/
        : /32 of the 96 that the statistics hold/,
    );
    expect((await inferer.evaluate({ uncertainty: false })).numRows).toBe(42);
    // A fit that starts over is of known samples again.
    await inferer.fit(data);
    await expectUncertainty(inferer, await expectedOf(data));
  });

  test('more samples than there is room for end the fit; the ones before stay', async () => {
    const bytes = 8 * 7 * (model.layers - 1);
    await using inferer = await create({ ...plan, maxBytes: 70 * bytes });
    const error = await refusal(inferer.fit(data));
    expect(error.code).toBe('out-of-memory');
    expect(error.message).toMatch(/^The magnitudes of 96 samples, which uncertainty needs, take \d+ bytes/);
    expect(inferer.samples).toBe(64);
    await expectUncertainty(inferer, await expectedOf(data.slice(0, 2)));
  });

  test('an abort between scorings, and a release', async () => {
    const inferer = await create();
    await inferer.fit(data);
    const controller = new AbortController();
    const reason = new Error('enough');
    const seen: [number, number][] = [];
    const aborted = inferer.evaluate({
      signal: controller.signal,
      onResample: (done, total) => {
        seen.push([done, total]);
        if (done === 3) controller.abort(reason);
      },
    });
    await expect(aborted).rejects.toBe(reason);
    expect(seen).toEqual([
      [1, 14],
      [2, 14],
      [3, 14],
    ]);
    let released: Promise<void> | undefined;
    const last = inferer.evaluate({
      onResample: () => {
        released ??= inferer.release();
      },
    });
    // A release waits for what was asked before it.
    expect((await last).numRows).toBe(42);
    await released;
  });
});
