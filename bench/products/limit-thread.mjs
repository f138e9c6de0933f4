/** The thread program of limit.mjs: runs the loop once per message. */
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
