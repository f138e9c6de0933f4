import { tableFromIPC, type Table } from 'apache-arrow';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ServedInferer } from '../../../src/cli/serve/served-inferer.ts';
import { fixture } from '../../support/model-files.ts';

const served = new ServedInferer();
beforeAll(async () => {
  await served.call('open', { create: { backend: 'cpu' } }, [fixture('layer-elu')]);
  const file = { name: 'd.npz', batchSize: 32, fit: {} };
  await served.call('fitFile', file, [fixture('layer-elu', 'edges-data.npz')]);
});
afterAll(() => served.release());

async function table(name: string, args: Record<string, unknown>): Promise<Table> {
  const { parts } = await served.call(name, args, []);
  return tableFromIPC(parts[0]);
}

test('a host asks for every score by its options', async () => {
  const regression = await table('evaluate', { score: 'regression', lambda: 1 });
  expect(regression.schema.metadata.get('lambda')).toBe('1');
  expect(regression.getChild('standard_error')).not.toBeNull();
  const ranked = await table('evaluate', { score: 'partial', correlation: 'spearman', layerAgg: 'pooled' });
  expect(Object.fromEntries(ranked.schema.metadata)).toMatchObject({
    correlation: 'spearman',
    layerAgg: 'pooled',
    backend: 'cpu',
  });
});

test('a host has edges selected', async () => {
  const edges = await table('select', { score: 'partial', steps: 3, stopAt: -1 });
  expect(edges.schema.fields.map(({ name }) => name)).toEqual([
    ...['step', 'src_func', 'dst_func', 'src_idx', 'dst_idx', 'corr', 'n_cond'],
  ]);
  expect([...edges.getChild('step')!]).toEqual([1, 2, 3]);
  expect(Object.fromEntries(edges.schema.metadata)).toMatchObject({
    score: 'partial',
    steps: '3',
    perStep: '1',
    stopAt: '-1',
    ended: 'steps',
    n: '107',
  });
  // The first edge is the first candidate of the table.
  const candidates = await table('evaluate', { score: 'partial', candidatesOnly: true, top: 1 });
  for (const name of ['src_func', 'dst_func', 'n_cond']) {
    expect(edges.getChild(name)!.get(0)).toEqual(candidates.getChild(name)!.get(0));
  }
  expect(edges.getChild('corr')!.get(0)).toBeCloseTo(candidates.getChild('corr')!.get(0) as number, 12);
});

test('by channel scores as well, of which the first is that of the table', async () => {
  const edges = await table('select', { score: 'channel', steps: 3 });
  const candidates = await table('evaluate', { score: 'channel', candidatesOnly: true, top: 1 });
  for (const name of ['src_func', 'dst_func', 'score']) {
    expect(edges.getChild(name)!.get(0)).toEqual(candidates.getChild(name)!.get(0));
  }
  expect([...edges.getChild('step')!]).toEqual([1, 2, 3]);
  expect(Object.fromEntries(edges.schema.metadata)).toMatchObject({
    score: 'channel',
    lambda: '3',
    ended: 'steps',
    solver: 'cpu',
  });
});
