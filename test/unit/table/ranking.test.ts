import { Table, vectorFromArray } from 'apache-arrow';
import { expect, test } from 'vitest';
import { evaluateTargetRanking } from '../../../src/index.ts';
import { column, tinyTable } from './tiny.ts';

const refused = (code: string): Error => expect.objectContaining({ code }) as Error;

test('ranks within the target, ties in table order, unranked positives counted as missed', async () => {
  // Sources of b: a 0.5, c 0.5, d 0.25. Sources of a: b 0.5, d -1; c is NaN. Sources of c: d 0.125, a -0.25.
  const { detail, summary } = evaluateTargetRanking(
    await tinyTable(),
    [
      ['c', 'b, "quoted"'],
      ['c', 'a'],
      ['a', 'b, "quoted"'],
      ['a', 'b, "quoted"'],
      ['nobody', 'c'],
      ['a', 'nowhere'],
    ],
    { topK: [1, 2] },
  );
  expect(detail.schema.fields.map(({ name }) => name)).toEqual([
    'src_func',
    'dst_func',
    'score',
    'rank',
    'n_candidates',
    'reciprocal_rank',
    'top@1',
    'top@2',
  ]);
  expect(column(detail, 'src_func')).toEqual(['a', 'a', 'c', 'c', 'nobody']);
  expect(column(detail, 'dst_func')).toEqual(['b, "quoted"', 'nowhere', 'a', 'b, "quoted"', 'c']);
  expect(column(detail, 'score')).toEqual([0.5, NaN, NaN, 0.5, NaN]);
  expect(column(detail, 'rank')).toEqual([1, null, null, 2, null]);
  expect(column(detail, 'n_candidates')).toEqual([3, 0, 2, 3, 2]);
  expect(column(detail, 'reciprocal_rank')).toEqual([1, 0, 0, 0.5, 0]);
  expect(column(detail, 'top@1')).toEqual([true, false, false, false, false]);
  expect(column(detail, 'top@2')).toEqual([true, false, false, true, false]);
  expect(summary).toEqual({ n_positives: 5, mrr: 0.3, 'top@1': 0.2, 'top@2': 0.4 });
});

test('any numeric column, in a table of any order, with nulls for NaN', () => {
  const table = new Table({
    src_func: vectorFromArray(['a', 'b', 'c']),
    dst_func: vectorFromArray(['t', 't', 't']),
    importance: vectorFromArray([0.1, null, 0.9]),
  });
  const { detail } = evaluateTargetRanking(table, [['a', 't']], { scoreCol: 'importance' });
  expect([column(detail, 'rank'), column(detail, 'n_candidates')]).toEqual([[2], [2]]);
});

test('no positives, an unknown column, a rank of zero', async () => {
  const table = await tinyTable();
  expect(() => evaluateTargetRanking(table, [])).toThrow(refused('no-positives'));
  expect(() => evaluateTargetRanking(table, [['a', 'c']], { scoreCol: 'none' })).toThrow(
    refused('invalid-argument'),
  );
  expect(() => evaluateTargetRanking(table, [['a', 'c']], { scoreCol: 'src_func' })).toThrow(
    refused('invalid-argument'),
  );
  expect(() => evaluateTargetRanking(table, [['a', 'c']], { topK: [0] })).toThrow(
    refused('invalid-argument'),
  );
  expect(() => evaluateTargetRanking(table.select(['corr']), [['a', 'c']])).toThrow(refused('invalid-data'));
});
