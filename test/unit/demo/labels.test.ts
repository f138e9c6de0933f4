import { describe, expect, test } from 'vitest';
import { fittingLabel, halvesOf, labelsOf } from '../../../demo/src/names/labels.ts';
import { probability } from '../../../demo/src/parts/format.ts';

describe('labels of nodes', () => {
  test('a beginning that all names share goes, up to a separator', () => {
    expect(labelsOf(['FUNC__ENSG00000141510_TP53', 'FUNC__ENSG00000100037_MPAK1'])).toEqual([
      'ENSG00000141510_TP53',
      'ENSG00000100037_MPAK1',
    ]);
  });

  test('short names, single ones and those that share nothing stay; none becomes empty', () => {
    for (const names of [
      ['f_1', 'f_2'],
      ['FUNC__ENSG00000141510_TP53'],
      ['alpha_of_a_long_name', 'beta_of_a_long_name'],
      ['prefix_', 'prefix_with_more_letters'],
      [],
    ])
      expect(labelsOf(names)).toEqual(names);
  });

  test('labels are as different as names', () => {
    const names = ['group:x:aaaaaaaaaaaaaa', 'group:x:aaaaaaaaaaaaab', 'group:xaaaaaaaaaaaaaab'];
    expect(new Set(labelsOf(names)).size).toBe(3);
  });

  test('the middle gives way, the end stays', () => {
    expect(halvesOf('ENSG00000141510_TP53')).toEqual(['ENSG00000141510', '_TP53']);
    expect(halvesOf('f12')).toEqual(['f12', '']);
    expect(halvesOf('f12').join('')).toBe('f12');
    const within = (letters: number) => (text: string) => text.length <= letters;
    expect(fittingLabel('ENSG00000141510_TP53', within(30))).toBe('ENSG00000141510_TP53');
    expect(fittingLabel('ENSG00000141510_TP53', within(10))).toBe('ENSG…_TP53');
    expect(fittingLabel('ENSG00000141510_TP53', within(4))).toBe('…P53');
  });
});

test('a p-value never reads 0', () => {
  expect(probability(0)).toBe('< 1e−300');
  expect(probability(4.9e-324)).toBe('< 1e−300');
  expect(probability(2e-300)).toBe('2.0e−300');
  expect(probability(Number.NaN)).toBe('–');
});
