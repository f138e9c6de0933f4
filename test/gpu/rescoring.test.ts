import { expect } from 'vitest';
import { createWebGpuEngine } from '../../src/statistics.ts';
import { test } from '../support/gpu.ts';
import { nodes, rescoringCase } from '../support/rescoring-case.ts';

test('only targets whose parents differ are scored again on the GPU, to the same bits', async ({ gpu }) => {
  const shape = { nodes, pairs: 2, reduction: 'l1' } as const;
  // Room for 16 of 48 rows
  const make = () => createWebGpuEngine({ device: gpu.device, shape, bindingBytes: 8 * 48 * 23 });
  for await (const { what, scoredTargets, expectedTargets, found, expected } of rescoringCase(make)) {
    expect(scoredTargets, what).toBe(expectedTargets);
    expect(found, what).toEqual(expected);
  }
});
