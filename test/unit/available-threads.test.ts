import { availableParallelism } from 'node:os';
import { afterEach, expect, test } from 'vitest';
import { availableThreads, limitThreads } from '../../src/available-threads.ts';

afterEach(() => {
  limitThreads(Infinity);
});

test('as many threads as the machine has, or fewer where that was asked for', () => {
  expect(availableThreads()).toBe(availableParallelism());
  limitThreads(1);
  expect(availableThreads()).toBe(1);
  limitThreads(availableParallelism() + 1);
  expect(availableThreads()).toBe(availableParallelism());
});
