import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';
import { GsnnModel } from '../../src/index.ts';
import { runtimeThreads, startedForSmaller } from '../../src/model/runtime.ts';
import { fixture } from '../support/model-files.ts';

// The runtime starts once in a process, so this is one test: before, after, and what a larger model is told.
test('a small model starts the runtime with one thread, and a larger one is told that it stays so', async () => {
  const several = Math.max(1, Math.min(4, availableParallelism() - 1));
  expect(runtimeThreads('wasm')).toBe(several);
  await using model = await GsnnModel.load(fixture('layer-elu'), { executionProvider: 'wasm' });
  expect(model.diagnostics.threads).toBe(1);
  await model.trainingSession();
  expect(model.diagnostics).toMatchObject({ threads: 1, fallbacks: [] });
  expect(model.diagnostics.cpuOperators).toBeUndefined();
  expect(runtimeThreads('wasm')).toBe(1);
  expect(startedForSmaller('wasm', false)).toBe(several > 1);
});
