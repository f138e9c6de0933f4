import { expect, test } from 'vitest';
import { evaluateTargetRanking, readPositiveEdges } from '../../../src/index.ts';
import { tinyTable } from './tiny.ts';

const read = (text: string, name = 'p.csv') => readPositiveEdges(new TextEncoder().encode(text), name);

test.each([
  ['src and dst', 'src,dst\nf1,f13\n'],
  ['an edge table', 'src_func,dst_func,corr\nf1,f13,0.5\n'],
  ['BEELINE', 'Gene1,Gene2,Type\nf1,f13,+\n'],
  ['Cytoscape', 'Source,Target\nf1,f13\n'],
  ['arboreto', 'TF\ttarget\timportance\nf1\tf13\t0.5\n'],
  ['other orders', 'weight;dst;src\n0,5;f13;f1\n'],
  ['an index column without a name', ',src,dst\n0,f1,f13\n'],
  ['no header', 'f1,f13\n'],
  ['no header, further columns', 'f1\tf13\t0.5\n'],
  ['no header, an index column', '0,f1,f13\n'],
  ['blank lines and cells around', '\ufeffsrc,dst\r\n\r\n f1 , f13 \r\n,\r\n'],
])('%s', (_, text) => {
  expect(read(text)).toEqual([['f1', 'f13']]);
});

test.each([
  ['a column label', 'src,dst,label\nf1,f13,1\nf2,f13,0\n'],
  ['a column before the pair', 'is_edge,src,dst\ntrue,f1,f13\nFalse,f2,f13\n'],
  ['numbers with a point', 'TF\ttarget\tClass\nf1\tf13\t1.0\nf2\tf13\t0.0\n'],
  ['a gold standard of DREAM, without a header', 'f1\tf13\t1\nf2\tf13\t0\n'],
])('rows labelled 0 are no positives: %s', (_, text) => {
  expect(read(text)).toEqual([['f1', 'f13']]);
});

test.each([
  ['a column of another name', 'src,dst,weight\nf1,f13,1\nf2,f13,0\n'],
  ['a label that is no yes or no', 'src,dst,label\nf1,f13,1\nf2,f13,activates\n'],
  ['without a header, weights', 'f1,f13,1\nf2,f13,0.5\n'],
  ['without a header, further columns', 'f1,f13,1,x\nf2,f13,0,y\n'],
])('other columns are no labels: %s', (_, text) => {
  expect(read(text)).toEqual([
    ['f1', 'f13'],
    ['f2', 'f13'],
  ]);
});

test('a comma in a name of a .tsv', () => {
  expect(read('src\tdst\nIL2, x\tf13\n', 'p.tsv')).toEqual([['IL2, x', 'f13']]);
});

test('numbers may be names', () => {
  expect(read('2,3\n5,1\n')).toEqual([
    ['2', '3'],
    ['5', '1'],
  ]);
  expect(() => read('0,4,7\n1,5,8\n')).toThrow(/p\.csv has no header, and its first column, 0, 1, …, may be/);
});

test.each([
  ['no target', 'src,dst\nf1,f2\nf1,\n', 'invalid-data', /p\.csv, line 3 lacks a source or a target/],
  ['one column', 'f1\nf2\n', 'invalid-data', /line 1 lacks a source or a target/],
  ['a header alone', 'src,dst\n', 'no-positives', /p\.csv holds no pairs/],
  [
    'labels of 0 alone',
    'src,dst,label\nf1,f2,0\nf3,f4,0\n',
    'no-positives',
    /p\.csv labels all of its 2 pairs as negative/,
  ],
  ['nothing', '', 'no-positives', /p\.csv holds no pairs/],
])('refused: %s', (_, text, code, message) => {
  expect(() => read(text)).toThrow(
    expect.objectContaining({ code, message: expect.stringMatching(message) as string }) as Error,
  );
});

test('a ranking tells unknown positives from unscored ones; none known is an error', async () => {
  const table = await tinyTable();
  const { unknown, unscored, summary } = evaluateTargetRanking(table, [
    ['c', 'b, "quoted"'],
    ['c', 'a'],
    ['A', 'c'],
  ]);
  expect({ unknown, unscored, n: summary.n_positives }).toEqual({
    unknown: [['A', 'c']],
    unscored: [['c', 'a']],
    n: 3,
  });
  expect(() => evaluateTargetRanking(table, [['A', 'c']])).toThrow(
    expect.objectContaining({
      code: 'no-positives',
      message:
        'None of the 1 positive edges joins two nodes of the table: the first is A -> c, and the table has a, b, "quoted", c, ….',
    }) as Error,
  );
  // A table of few rows knows its nodes all the same.
  const few = await tinyTable('corr', { top: 1 });
  expect(evaluateTargetRanking(few, [['d\nß', 'c']]).unscored).toEqual([['d\nß', 'c']]);
});
