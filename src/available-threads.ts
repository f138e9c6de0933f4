import { nodeProcess } from './node-process.ts';

let limit = Infinity;

/** Caps the number of threads, for callers that share a machine. Call it before the first model is loaded. */
export function limitThreads(threads: number): void {
  limit = threads;
}

/** Threads that the machine runs at once, up to the cap of {@link limitThreads}; at least 1. */
export function availableThreads(): number {
  const threads =
    nodeProcess()?.getBuiltinModule('node:os').availableParallelism() ??
    globalThis.navigator.hardwareConcurrency;
  return Math.max(1, Math.min(limit, threads || 1));
}
