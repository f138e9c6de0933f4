import { afterEach, expect, it, vi } from 'vitest';
import { startWorker } from '../../../src/engine/worker-thread.ts';

afterEach(() => {
  vi.unstubAllGlobals();
});

it('a worker of Node starts, whatever globalThis.Worker is: onnxruntime-web puts one there that takes no Blob', async () => {
  vi.stubGlobal('Worker', function refuse(url: URL) {
    throw new TypeError(`The worker script must be an absolute path. Received "${String(url)}"`);
  });
  const answer = await new Promise((resolve, reject) => {
    const script = `require('node:worker_threads').parentPort.on('message', (data) => {
      require('node:worker_threads').parentPort.postMessage(data + 1);
    })`;
    const worker = startWorker(script, {
      message: (data) => {
        resolve(data);
        worker!.terminate();
      },
      failed: reject,
    });
    worker!.post(41, []);
    worker!.keepAlive(true);
  });
  expect(answer).toBe(42);
});

it('a worker of Node knows the flags that its process has been given since it started', async () => {
  const flag = '--experimental-wasm-revectorize';
  process.execArgv.push(flag);
  const flags = await new Promise((resolve, reject) => {
    const script = "require('node:worker_threads').parentPort.postMessage(process.execArgv)";
    startWorker(script, { message: resolve, failed: reject })!.keepAlive(true);
  }).finally(() => process.execArgv.pop());
  expect(flags).toEqual([...process.execArgv, flag]);
});
