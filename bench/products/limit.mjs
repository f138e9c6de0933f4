/* global Worker */
/**
 * Peak rate of the processor in vectors of 128 bits, WebAssembly's: multiply-adds of float64 without any loads, on the
 * given number of threads at once. Does not use Node: pages load it as well.
 */
import { operations } from './limit-loop.mjs';

/** @typedef {{ run: () => Promise<unknown>, end: () => unknown }} Thread */

/** @returns {Thread} */
function startThread() {
  const script = new URL('./limit-thread.mjs', import.meta.url);
  const node = globalThis.process?.getBuiltinModule?.('node:worker_threads');
  if (node) {
    const worker = new node.Worker(script);
    return {
      run: () =>
        new Promise((resolve) => {
          worker.once('message', resolve);
          worker.postMessage('run');
        }),
      end: () => worker.terminate(),
    };
  }
  const worker = new Worker(script, { type: 'module' });
  return {
    run: () =>
      new Promise((resolve, reject) => {
        worker.onmessage = resolve;
        worker.onerror = ({ message }) => reject(new Error(message));
        worker.postMessage('run');
      }),
    end: () => worker.terminate(),
  };
}

/** @param {number} threads */
export function startLimit(threads) {
  const all = Array.from({ length: threads }, startThread);
  return {
    /** Operations per second, in 1e9, over some tens of milliseconds */
    async gflops() {
      const start = performance.now();
      await Promise.all(all.map((thread) => thread.run()));
      return (threads * operations) / (performance.now() - start) / 1e6;
    },
    end: () => Promise.all(all.map((thread) => thread.end())),
  };
}
