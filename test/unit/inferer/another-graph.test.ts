import { Table } from 'apache-arrow';
import { expect, test } from 'vitest';
import { batches, GsnnModel, MagnitudeEdgeInferer } from '../../../src/index.ts';
import { fixture } from '../../support/model-files.ts';
import { refusal } from '../../support/refusal.ts';

const load = () => GsnnModel.load(fixture('layer-elu'));
const dataOf = (model: GsnnModel) =>
  batches(fixture('layer-elu', 'edges-data.npz'), model, { batchSize: 32 });

test('another graph at evaluate gives what an inferer made for that graph gives, without seeing a sample again', async () => {
  await using model = await load();
  const [sources, targets] = model.graph.edgeIndex['function,function'];
  const graph = {
    ...model.graph,
    edgeIndex: {
      ...model.graph.edgeIndex,
      'function,function': [Array.from(sources).slice(1), Array.from(targets).slice(1)] as const,
    },
  };
  await using own = await MagnitudeEdgeInferer.create(model, { backend: 'cpu' });
  await using other = await MagnitudeEdgeInferer.create(model, { backend: 'cpu', graph });
  await own.fit(dataOf(model));
  await other.fit(dataOf(model));
  const asked = await own.evaluate({ score: 'partial', graph });
  const expected = await other.evaluate({ score: 'partial' });
  for (const name of ['corr', 'n_cond', 'has_edge', 'q_value'])
    expect([...asked.getChild(name)!]).toEqual([...expected.getChild(name)!]);
  expect([...asked.getChild('corr')!]).not.toEqual([
    ...(await own.evaluate({ score: 'partial' })).getChild('corr')!,
  ]);
});

test('a graph of other sizes is refused at evaluate', async () => {
  await using model = await load();
  await using inferer = await MagnitudeEdgeInferer.create(model, { backend: 'cpu' });
  await inferer.fit(dataOf(model));
  const nodeNames = { ...model.graph.nodeNames, function: [...model.graph.nodeNames.function, 'more'] };
  const error = await refusal(inferer.evaluate({ graph: { ...model.graph, nodeNames } }));
  expect(error.code).toBe('graph-mismatch');
});

test('scores without a table are those of the table, until they are released', async () => {
  await using model = await load();
  await using inferer = await MagnitudeEdgeInferer.create(model, { backend: 'cpu' });
  await inferer.fit(dataOf(model));
  const table = await inferer.evaluate({ score: 'partial', layerAgg: 'max' });
  const scores = await inferer.scores({ score: 'partial', layerAgg: 'max' });
  inferer.resetStats();
  const { nodes, aggregated, perPair } = await scores.matrices();
  expect([scores.nodes, scores.pairs, scores.gpu]).toEqual([nodes, perPair.length, undefined]);
  const [sources, targets] = ['src_idx', 'dst_idx'].map((name) => [...table.getChild(name)!] as number[]);
  expect(sources!.map((source, row) => aggregated[source * nodes + targets![row]!])).toEqual([
    ...table.getChild('corr')!,
  ]);
  // The table of the scores is the one that was made of the statistics, rows chosen and all.
  const columns = (made: Table) => made.schema.fields.map(({ name }) => [name, [...made.getChild(name)!]]);
  expect(columns(await scores.table())).toEqual(columns(table));
  const chosen = await scores.table({ top: 3, candidatesOnly: true });
  expect(chosen.numRows).toBe(3);
  scores.release();
  expect((await refusal(scores.matrices())).code).toBe('released');
  expect((await refusal(scores.table())).code).toBe('released');
});

test('a table in batches is the table, though statistics change while it comes', async () => {
  await using model = await load();
  await using inferer = await MagnitudeEdgeInferer.create(model, { backend: 'cpu' });
  await inferer.fit(dataOf(model));
  const whole = await inferer.evaluate({ score: 'partial', candidatesOnly: true });
  const batches = [];
  for await (const batch of inferer.evaluateBatches({
    score: 'partial',
    candidatesOnly: true,
    rowsPerBatch: 50,
  })) {
    inferer.resetStats();
    batches.push(batch);
  }
  expect(batches.length).toBe(Math.ceil(whole.numRows / 50));
  const joined = new Table(batches);
  for (const { name } of whole.schema.fields)
    expect([...joined.getChild(name)!], name).toEqual([...whole.getChild(name)!]);
  expect((await refusal(inferer.evaluateBatches({ top: -1 }).next())).code).toBe('invalid-argument');
});
