import { expect, test } from 'vitest';
import { createCpuEngine } from '../../../src/statistics.ts';
import { nodes, rescoringCase } from '../../support/rescoring-case.ts';

test.each([0, 2])(
  'only targets whose parents differ are scored again, to the same bits (%d workers)',
  async (workers) => {
    const make = () => Promise.resolve(createCpuEngine({ nodes, pairs: 2, reduction: 'l1' }, { workers }));
    for await (const { what, scoredTargets, expectedTargets, found, expected } of rescoringCase(make)) {
      expect(scoredTargets, what).toBe(expectedTargets);
      expect(found, what).toEqual(expected);
    }
  },
);
