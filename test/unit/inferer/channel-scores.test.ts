import type { Table } from 'apache-arrow';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type Batch,
  batches,
  decodeTable,
  encodeTable,
  GsnnModel,
  type InfererOptions,
  MagnitudeEdgeInferer,
} from '../../../src/index.ts';
import { type SavedChannelValues, scoreSavedChannels } from '../../../src/statistics.ts';
import { randomBits, shuffledWithin } from '../../../src/statistics/shuffle.ts';
import { decodeStatistics, encodeStatistics } from '../../../src/table/statistics-file.ts';
import { mergeSaved } from '../../../src/table/statistics-origin.ts';
import { channelSumsBytes } from '../../../src/statistics/channel-sums.ts';
import { channelScoresByDefinition, type ChannelPair } from '../../support/channel-definition.ts';
import { goldenOf, rowsOf, valuesOf } from '../../support/golden-batches.ts';
import { fixture } from '../../support/model-files.ts';
import { refusal } from '../../support/refusal.ts';

let model: GsnnModel;
let data: Batch[];
/** What the model gives for the data */
let pairs: ChannelPair[];

beforeAll(async () => {
  model = await GsnnModel.load(fixture('layer-elu-ragged'));
  const { channelGroups } = model;
  data = [];
  for await (const batch of batches(fixture('layer-elu-ragged', 'edges-data.npz'), model, {
    batchSize: 32,
  })) {
    data.push(batch);
  }
  const session = await model.trainingSession();
  const all = Array.from({ length: model.layers - 1 }, () => ({ x: [] as number[][], u: [] as number[][] }));
  for (const { x, y, size } of data) {
    const run = await valuesOf(session, { x: x as Float32Array, y: y as Float32Array, size });
    all.forEach((pair, p) => {
      pair.x.push(...rowsIn(run.activations[p]!, channelGroups.length));
      pair.u.push(...rowsIn(run.gradients[p]!, channelGroups.length));
    });
  }
  pairs = all;
});
afterAll(() => model.release());

const rowsIn = (values: ArrayLike<number>, width: number): number[][] =>
  Array.from({ length: values.length / width }, (_, row) =>
    Array.from({ length: width }, (_, c) => values[row * width + c]!),
  );

const create = (options: InfererOptions = {}): Promise<MagnitudeEdgeInferer> =>
  MagnitudeEdgeInferer.create(model, { backend: 'cpu', ...options });

const column = (table: Table, name: string): (number | null)[] =>
  [...table.getChild(name)!] as (number | null)[];

/** Scores of a table by source and target. */
function matrixOf(table: Table, name: string): number[][] {
  const nodes = model.graph.nodeNames.function.length;
  const matrix = Array.from({ length: nodes }, () => new Array<number>(nodes).fill(NaN));
  const [values, sources, targets] = [name, 'src_idx', 'dst_idx'].map((each) => column(table, each));
  values!.forEach((value, row) => (matrix[sources![row]!]![targets![row]!] = value!));
  return matrix;
}

/** float32 products: 1e-5 of the largest score. */
function expectScores(found: number[][], right: number[][], tolerance = 1e-5): void {
  const largest = Math.max(...right.flat().filter((value) => !Number.isNaN(value)));
  right.forEach((row, i) => {
    row.forEach((value, j) => {
      if (Number.isNaN(value)) expect(found[i]![j]).toBeNaN();
      else expect(Math.abs(found[i]![j]! - value) / largest).toBeLessThan(tolerance);
    });
  });
}

function aggregated(perPair: readonly number[][][], how: 'mean' | 'max'): number[][] {
  return perPair[0]!.map((row, i) =>
    row.map((_, j) => {
      const scores = perPair.map((scores) => scores[i]![j]!).filter((score) => !Number.isNaN(score));
      if (scores.length === 0) return NaN;
      return how === 'max'
        ? Math.max(...scores)
        : Math.sqrt(scores.reduce((sum, score) => sum + score * score, 0) / scores.length);
    }),
  );
}

describe('channel scores', () => {
  test.each([
    ['mean', undefined],
    ['max', 0.5],
  ] as const)('%s over layer pairs, lambda %s, after an ordinary fit', async (layerAgg, lambda) => {
    await using inferer = await create();
    await inferer.fit(data);
    const table = await inferer.evaluate({ score: 'channel', layerAgg, lambda, excludeSelf: false });
    const perPair = pairs.map((pair) => channelScoresByDefinition([pair], model.channelGroups, lambda ?? 3));
    perPair.forEach((scores, p) => {
      expectScores(matrixOf(table, `score_a${p}_g${p + 1}`), scores);
    });
    expectScores(matrixOf(table, 'score'), aggregated(perPair, layerAgg));
    expect(Object.fromEntries(table.schema.metadata)).toMatchObject({
      score: 'channel',
      layerAgg,
      lambda: String(lambda ?? 3),
      n: String(inferer.samples),
      P: String(pairs.length),
    });
    expect(table.schema.metadata.has('reduction')).toBe(false);
  });

  test('pooled is one regression over the observations of all layer pairs', async () => {
    await using inferer = await create();
    await inferer.fit(data);
    const table = await inferer.evaluate({ score: 'channel', layerAgg: 'pooled', excludeSelf: false });
    expectScores(matrixOf(table, 'score'), channelScoresByDefinition(pairs, model.channelGroups, 3));
    expect(table.schema.fields.map(({ name }) => name)).toEqual([
      ...['src_func', 'dst_func', 'src_idx', 'dst_idx', 'score', 'has_edge', 'p_value', 'q_value'],
    ]);
    expect(table.schema.metadata.get('P')).toBe(String(pairs.length));
  });

  test('another score, aggregation or lambda sees no sample again, and changes nothing of the others', async () => {
    await using inferer = await create();
    await inferer.fit(data);
    const before = await inferer.evaluate({ score: 'partial' });
    const mean = await inferer.evaluate({ score: 'channel' });
    const max = await inferer.evaluate({ score: 'channel', layerAgg: 'max' });
    await using fresh = await create();
    await fresh.fit(data);
    expect(max.toArray()).toEqual((await fresh.evaluate({ score: 'channel', layerAgg: 'max' })).toArray());
    expect((await inferer.evaluate({ score: 'channel' })).toArray()).toEqual(mean.toArray());
    expect((await inferer.evaluate({ score: 'partial' })).toArray()).toEqual(before.toArray());
  });

  test('are those of torch in float64', async () => {
    const { golden, batches: goldenBatches } = goldenOf('layer-elu-ragged');
    await using inferer = await create();
    await inferer.fit(goldenBatches);
    const table = await inferer.evaluate({ score: 'channel', excludeSelf: false });
    const width = model.channelGroups.length;
    const perPair = pairs.map((_, p) => {
      const all = (name: string): number[][] => rowsIn(rowsOf(golden[name]!, 0, 9), width);
      const pair = { x: all(`pre_${p}`), u: all(`grad_pre_${p + 1}`) };
      return channelScoresByDefinition([pair], model.channelGroups, 3);
    });
    // The model's own float32 is in it.
    expectScores(matrixOf(table, 'score'), aggregated(perPair, 'mean'), 1e-4);
  });

  test('rows come highest first, NaN last, without p until targets are shuffled', async () => {
    await using inferer = await create();
    await inferer.fit(data);
    const table = await inferer.evaluate({ score: 'channel' });
    const scores = column(table, 'score') as number[];
    const sorted = [...scores].sort((a, b) => (Number.isNaN(a) ? 1 : Number.isNaN(b) ? -1 : b - a));
    expect(scores).toEqual(sorted);
    expect(table.getChild('p_value')!.nullCount).toBe(table.numRows);
    expect(table.getChild('q_value')!.nullCount).toBe(table.numRows);
    const edges = [...table.getChild('has_edge')!];
    // Known edges have scores, too; the row of a self edge is left out.
    const [from, to] = model.graph.edgeIndex['function,function'];
    const known = new Set(
      Array.from(from).flatMap((source, e) => (source === to[e] ? [] : [`${source} ${to[e]!}`])),
    );
    expect(edges.filter((edge) => edge === true)).toHaveLength(known.size);
    for (const format of ['arrow', 'csv', 'parquet'] as const) {
      const back = await decodeTable(encodeTable(table, format), format, 'edges');
      expect(column(back, 'score')).toEqual(scores);
      expect(column(back, 'p_value').filter((p) => p !== null && !Number.isNaN(p))).toEqual([]);
    }
    const some = await inferer.evaluate({ score: 'channel', top: 3, candidatesOnly: true });
    expect(column(some, 'score')).toEqual(scores.filter((_, row) => edges[row] === false).slice(0, 3));
    expect((await refusal(inferer.evaluate({ score: 'channel', maxQ: 0.1 }))).message).toContain(
      'permutations',
    );
  });

  test('are ranked by default where a table has them', async () => {
    await using inferer = await create();
    await inferer.fit(data);
    const table = await inferer.evaluate({ score: 'channel' });
    const positives = [['src_func', 'dst_func'].map((name) => String(table.getChild(name)!.get(0)))] as [
      string,
      string,
    ][];
    const { summary } = MagnitudeEdgeInferer.evaluateTargetRanking(table, positives);
    expect(summary).toMatchObject({ n_positives: 1, mrr: 1 });
  });
});

describe('channel scores and uncertainty', () => {
  const plan = { groups: 5, permutations: 19, seed: 3 };

  test('leave groups out, and shuffle whole rows of gradients within them', async () => {
    await using inferer = await create({ uncertainty: plan });
    await inferer.fit(data);
    const progress: number[] = [];
    const table = await inferer.evaluate({
      score: 'channel',
      excludeSelf: false,
      onResample: (done) => progress.push(done),
    });
    expect(progress).toEqual(Array.from({ length: 24 }, (_, k) => k + 1));
    const n = inferer.samples;
    const starts = Array.from({ length: 6 }, (_, group) => Math.floor((group * n) / 5));
    const scoreOf = (orderX: readonly number[], orderU: readonly number[]): number[][] =>
      aggregated(
        pairs.map(({ x, u }) =>
          channelScoresByDefinition(
            [{ x: orderX.map((k) => x[k]!), u: orderU.map((k) => u[k]!) }],
            model.channelGroups,
            3,
          ),
        ),
        'mean',
      );
    const everyone = Array.from({ length: n }, (_, k) => k);
    const without = starts.slice(0, 5).map((first, group) => {
      const kept = everyone.filter((k) => k < first || k >= starts[group + 1]!);
      return { kept: kept.length, scores: scoreOf(kept, kept) };
    });
    const whole = scoreOf(everyone, everyone);
    const found = matrixOf(table, 'score_se');
    // Busing, Meijer and van der Leeden: groups of 21 and 22.
    whole.forEach((row, i) => {
      row.forEach((score, j) => {
        const h = without.map(({ kept }) => n / (n - kept));
        const estimate =
          5 * score - without.reduce((sum, { scores }, k) => sum + (1 - 1 / h[k]!) * scores[i]![j]!, 0);
        const variance =
          without.reduce(
            (sum, { scores }, k) =>
              sum + (h[k]! * score - (h[k]! - 1) * scores[i]![j]! - estimate) ** 2 / (h[k]! - 1),
            0,
          ) / 5;
        if (Number.isNaN(variance)) expect(found[i]![j]).toBeNaN();
        // Differences of scores that are right to 1e-6.
        else expect(Math.abs(found[i]![j]! - Math.sqrt(variance))).toBeLessThan(1e-5);
      });
    });
    const shuffled = Array.from({ length: 19 }, (_, k) =>
      scoreOf(everyone, [...shuffledWithin(starts, randomBits(3, k))]),
    );
    const p = matrixOf(table, 'p_value');
    whole.forEach((row, i) => {
      row.forEach((score, j) => {
        const reached = shuffled.filter((scores) => !(scores[i]![j]! < score - 1e-6)).length;
        expect(p[i]![j]).toBe(Number.isNaN(score) ? 1 : (reached + 1) / 20);
      });
    });
    expect(table.schema.fields.map(({ name }) => name).slice(-3)).toEqual(['p_value', 'q_value', 'score_se']);
    const q = column(table, 'q_value') as number[];
    const smallest = Math.min(...q);
    const few = await inferer.evaluate({ score: 'channel', excludeSelf: false, maxQ: smallest });
    expect(few.numRows).toBe(q.filter((value) => value <= smallest).length);
  });
});

describe('saved channel values', () => {
  test('resume, merge and come from a file as if all samples had been seen here', async () => {
    await using whole = await create();
    await whole.fit(data);
    const expected = await whole.evaluate({ score: 'channel' });
    await using first = await create();
    await first.fit(data.slice(0, 2));
    const saved = await first.saveStats({ channels: true });

    await using resumed = await create();
    await resumed.loadStats(saved);
    await resumed.fit(data.slice(2), { reset: false });
    const found = await resumed.evaluate({ score: 'channel' });
    expect(found.toArray()).toEqual(expected.toArray());

    await using last = await create();
    await last.fit(data.slice(2));
    const merged = mergeSaved(
      decodeStatistics(saved),
      decodeStatistics(await last.saveStats({ channels: true })),
      'the second file',
    );
    const again = decodeStatistics(encodeStatistics(merged));
    const scores = await scoreSavedChannels(again.channels!, { layerAgg: 'mean', lambda: 3 });
    // Without the model channels have another order, and sums over them round otherwise.
    const right = matrixOf(await whole.evaluate({ score: 'channel', excludeSelf: false }), 'score');
    const aggregate = await scores.aggregate();
    expectScores(
      right.map((row, i) => row.map((_, j) => aggregate[i * right.length + j]!)),
      right,
      1e-6,
    );
  });

  test('are refused where they are not held, and where nodes have other channels', async () => {
    await using inferer = await create({ channels: false });
    await inferer.fit(data);
    expect((await refusal(inferer.saveStats({ channels: true }))).code).toBe('invalid-argument');
    await using other = await create();
    await other.fit(data);
    const saved = decodeStatistics(await other.saveStats({ channels: true }));
    const channels = saved.channels as SavedChannelValues;
    const counts = channels.counts.map((count, node) => (node === 1 ? channels.most - count + 1 : count));
    const bytes = encodeStatistics({ ...saved, channels: { ...channels, counts } });
    const refused = await refusal(other.mergeStats(bytes));
    expect(refused.code).toBe('graph-mismatch');
    expect(refused.message).toContain('channels of function node 1');
    // A file without them stays one of magnitudes.
    expect(decodeStatistics(await other.saveStats()).channels).toBeUndefined();
    const without = decodeStatistics(await inferer.saveStats());
    expect(mergeSaved(saved, without, 'the other file').channels).toBeUndefined();
  });
});

describe('sums of channel values, where samples have no room', () => {
  /** Room for the sums and one batch, and not for the samples of two. */
  const room = (): number => {
    const [channels, layerPairs] = [model.channelGroups.length, pairs.length];
    return channelSumsBytes(layerPairs, channels) + 8 * layerPairs * channels * 40;
  };

  test.each(['mean', 'pooled'] as const)('%s scores are those of the samples', async (layerAgg) => {
    await using whole = await create();
    await whole.fit(data);
    await using summed = await create({ channels: { maxBytes: room() } });
    await summed.fit(data);
    expect(summed.samples).toBe(whole.samples);
    const options = { score: 'channel', layerAgg, excludeSelf: false } as const;
    const right = matrixOf(await whole.evaluate(options), 'score');
    expectScores(matrixOf(await summed.evaluate(options), 'score'), right, 1e-6);
    // Once more, with more samples: those there were have joined the sums.
    await summed.fit(data, { reset: false });
    await whole.fit(data, { reset: false });
    const twice = matrixOf(await whole.evaluate(options), 'score');
    expectScores(matrixOf(await summed.evaluate(options), 'score'), twice, 1e-6);
  });

  test('are saved, resumed and merged with sums and with samples', async () => {
    await using whole = await create();
    await whole.fit(data);
    const right = matrixOf(await whole.evaluate({ score: 'channel', excludeSelf: false }), 'score');
    const [front, back] = [data.slice(0, 3), data.slice(3)];
    const savedOf = async (some: Batch[], maxBytes?: number): Promise<Uint8Array> => {
      await using inferer = await create({ channels: maxBytes === undefined ? true : { maxBytes } });
      await inferer.fit(some);
      return await inferer.saveStats({ channels: true });
    };
    const summed = await savedOf(front, room());
    expect('sums' in decodeStatistics(summed).channels!).toBe(true);
    const others = [await savedOf(back), await savedOf([...back, ...front], room())] as const;

    await using resumed = await create();
    await resumed.loadStats(summed);
    await resumed.fit(back, { reset: false });
    const after = await resumed.evaluate({ score: 'channel', excludeSelf: false });
    expectScores(matrixOf(after, 'score'), right, 1e-6);
    // Samples first, then sums.
    await using merged = await create();
    await merged.loadStats(others[0]);
    await merged.mergeStats(summed);
    const mixed = await merged.evaluate({ score: 'channel', excludeSelf: false });
    expectScores(matrixOf(mixed, 'score'), right, 1e-6);

    const scoresOf = async (first: Uint8Array, second: Uint8Array): Promise<number[][]> => {
      const both = mergeSaved(decodeStatistics(first), decodeStatistics(second), 'the second file');
      const again = decodeStatistics(encodeStatistics(both));
      const scores = await scoreSavedChannels(again.channels!, { layerAgg: 'mean', lambda: 3 });
      const aggregate = await scores.aggregate();
      return right.map((row, i) => row.map((_, j) => aggregate[i * right.length + j]!));
    };
    expectScores(await scoresOf(summed, others[0]), right, 1e-6);
    expectScores(await scoresOf(others[0], summed), right, 1e-6);
    await whole.fit(front, { reset: false });
    const more = matrixOf(await whole.evaluate({ score: 'channel', excludeSelf: false }), 'score');
    expectScores(await scoresOf(summed, others[1]), more, 1e-6);
  });

  test('have no uncertainty, which needs the samples', async () => {
    await using inferer = await create({
      channels: { maxBytes: room() },
      uncertainty: { groups: 3, permutations: 2 },
    });
    await inferer.fit(data);
    const refused = await refusal(inferer.evaluate({ score: 'channel' }));
    expect(refused.code).toBe('invalid-argument');
    expect(refused.message).toContain('channels.maxBytes');
    const table = await inferer.evaluate({ score: 'channel', uncertainty: false });
    expect(table.numRows).toBeGreaterThan(0);
  });
});

describe('channel scores are refused', () => {
  test('where channels are not kept, or no longer', async () => {
    await using without = await create({ channels: false });
    await without.fit(data);
    const refused = await refusal(without.evaluate({ score: 'channel' }));
    expect(refused.code).toBe('invalid-argument');
    expect(refused.message).toContain('channels: false');

    await using small = await create({ channels: { maxBytes: 1000 } });
    const full = await refusal(small.fit(data));
    expect(full.code).toBe('out-of-memory');
    expect(full.message).toContain('maxBytes');
    // No channel of a batch, and no magnitude either.
    expect(small.samples).toBe(0);
  });

  test('for samples that came from a file without them', async () => {
    await using inferer = await create({ channels: false });
    await inferer.fit(data);
    const saved = await inferer.saveStats();
    await using other = await create();
    await other.fit(data.slice(0, 1));
    await other.mergeStats(saved);
    const refused = await refusal(other.evaluate({ score: 'channel' }));
    expect(refused.code).toBe('invalid-argument');
    expect(refused.message).toContain('statistics file');
    other.resetStats();
    await other.fit(data);
    expect((await other.evaluate({ score: 'channel' })).numRows).toBeGreaterThan(0);
  });

  test.each([
    [{ lambda: 0 }, 'lambda'],
    [{ lambda: NaN }, 'lambda'],
    [{ layerAgg: 'sum' as 'mean' }, 'layerAgg'],
  ])('%j', async (options, option) => {
    await using inferer = await create();
    await inferer.fit(data);
    const refused = await refusal(inferer.evaluate({ score: 'channel', ...options }));
    expect(refused.code).toBe('invalid-argument');
    expect(refused.details.option).toBe(option);
  });

  test('below three samples', async () => {
    await using inferer = await create();
    expect((await refusal(inferer.evaluate({ score: 'channel' }))).code).toBe('too-few-samples');
  });
});
