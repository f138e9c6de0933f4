import { describe, expect, test } from 'vitest';
import { Arguments, UsageError } from '../../../src/cli/arguments.ts';
import { didYouMean } from '../../../src/cli/did-you-mean.ts';

const options = {
  out: { type: 'string' },
  data: { type: 'string', multiple: true },
  json: { type: 'boolean' },
} as const;
const read = (...args: string[]): Arguments => new Arguments(args, options, { allowed: true });

describe('options of several values', () => {
  test.each([
    [['--data', 'a', 'b', '--out', 'o', '--data', 'c'], ['a', 'b', 'c'], []],
    [['--data=a', 'b', '--json', 'p'], ['a', 'b'], ['p']],
    [['p', '--data', 'a', '--', 'q'], ['a'], ['p', 'q']],
    [['--out', 'o', 'p', '--data', 'a'], ['a'], ['p']],
  ])('%j', (args, data, positionals) => {
    const given = read(...args);
    expect([given.requiredList('data'), given.positionals]).toEqual([data, positionals]);
  });

  test('missing, or a word that belongs to none', () => {
    expect(() => read().requiredList('data')).toThrow(new UsageError('--data is missing'));
    expect(() => new Arguments(['--out', 'o', 'p'], options, { allowed: false })).toThrow(
      "unexpected argument 'p'",
    );
  });
});

test.each([
  ['modle', "; did you mean '--model'?"],
  ['layeragg', "; did you mean '--layer-agg'?"],
  ['perm', "; did you mean '--permutations'?"],
  ['batchsize', "; did you mean '--batch-size'?"],
  ['colour', ''],
  ['x', ''],
])('did you mean: %s', (word, hint) => {
  expect(didYouMean(word, ['model', 'layer-agg', 'permutations', 'batch-size', 'out'], '--')).toBe(hint);
});
