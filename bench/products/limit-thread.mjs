/** The program of a thread of limit.mjs: runs the loop once for every message. */
import { run } from './limit-loop.mjs';

const parent = globalThis.process?.getBuiltinModule?.('node:worker_threads')?.parentPort;
if (parent) {
  parent.on('message', () => {
    run();
    parent.postMessage('done');
  });
} else {
  globalThis.onmessage = () => {
    run();
    globalThis.postMessage('done');
  };
}
