import { expect } from 'vitest';
import { createWebGpuEngine } from '../../src/statistics.ts';
import { differencesFromOracle } from '../support/differential.ts';
import { test } from '../support/gpu.ts';
import { trials } from '../support/trials.ts';

// What docs/method.md asks of well-conditioned data; more only where the problem itself amplifies rounding.
const ROUNDING = 1e-6;

test('the WebGPU engine gives what the definition gives, for random problems of any unit', async ({
  gpu,
}) => {
  const { compared, unsure, wrong } = await differencesFromOracle(
    (shape) => createWebGpuEngine({ device: gpu.device, shape }),
    { first: 1, count: trials(40) },
    ROUNDING,
  );
  expect(wrong.slice(0, 10)).toEqual([]);
  expect(unsure).toBeLessThan(compared);
});
