import { expect, test } from 'vitest';
import { Arguments, UsageError } from '../../../src/cli/arguments.ts';
import { readScoreSettings, scoreOptions } from '../../../src/cli/score-options.ts';

const read = (...args: string[]) =>
  readScoreSettings(
    new Arguments(
      ['--out', 'edges.csv', ...args],
      { ...scoreOptions, permutations: { type: 'string' } },
      { allowed: false },
    ),
  );

test('channel scores have a ridge and an aggregation of their own', () => {
  expect(read()).toMatchObject({ score: 'corr', layerAgg: 'mean' });
  expect(read('--score', 'channel')).toMatchObject({ score: 'channel', layerAgg: 'mean', lambda: 3 });
  expect(read('--score', 'channel', '--lambda', '0.5', '--layer-agg', 'pooled')).toMatchObject({
    layerAgg: 'pooled',
    lambda: 0.5,
  });
  expect(read('--score', 'channel', '--max-q', '0.1', '--permutations', '99')).toMatchObject({ maxQ: 0.1 });
});

test('scores of magnitudes have ranks, and regression a ridge of its own', () => {
  expect(read('--score', 'regression', '--max-q', '0.1')).toMatchObject({ score: 'regression', lambda: 0.3 });
  expect(read('--layer-agg', 'pooled', '--correlation', 'spearman')).toMatchObject({
    score: 'corr',
    layerAgg: 'pooled',
    correlation: 'spearman',
  });
});

test.each([
  ['--lambda', '3'],
  ['--score', 'partial', '--lambda', '3'],
  ['--score', 'channel', '--correlation', 'spearman'],
  ['--correlation', 'kendall'],
  ['--score', 'channel', '--lambda', '0'],
  ['--score', 'channel', '--max-q', '0.1'],
])('what does not go together is wrong usage: %s %s %s %s', (...args) => {
  expect(() => read(...args)).toThrow(UsageError);
});
