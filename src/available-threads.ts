import { nodeProcess } from './node-process.ts';

let limit = Infinity;

/** Threads to use at most, for whoever shares a machine with others. Call it before the first model is loaded. */
export function limitThreads(threads: number): void {
  limit = threads;
}

/** Threads that the machine runs at once, as far as they may be used. */
export function availableThreads(): number {
  const threads =
    nodeProcess()?.getBuiltinModule('node:os').availableParallelism() ??
    globalThis.navigator.hardwareConcurrency;
  return Math.max(1, Math.min(limit, threads || 1));
}
