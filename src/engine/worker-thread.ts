import { nodeProcess } from '../node-process.ts';
import { workerFile } from '../worker-folder.ts';

/** A worker, of a page or of Node: their common interface. */
export interface WorkerThread {
  post(message: unknown, transfer: ArrayBuffer[]): void;
  /** In Node, whether the worker keeps the process alive. No effect elsewhere. */
  keepAlive(alive: boolean): void;
  terminate(): void;
}

/** Events of a worker. `failed` comes if it could not start or died, perhaps more than once. */
export interface WorkerEvents {
  message(data: unknown): void;
  failed(cause: unknown): void;
}

/**
 * Starts a worker from the text of a classic script: from a Blob in pages (a content security policy must allow
 * `worker-src blob:`) and in workers, from worker_threads in Node. Pages that set a worker folder load the file of that
 * name instead.
 *
 * @returns undefined if there are no workers
 * @throws what the platform throws when it refuses
 */
export function startWorker(script: string, events: WorkerEvents, name?: string): WorkerThread | undefined {
  // Do not test for Worker: onnxruntime-web defines one in Node that accepts no Blob.
  const node = nodeProcess();
  if (node === undefined) {
    if (typeof Worker !== 'function') return undefined;
    const file = name === undefined ? undefined : workerFile(name);
    return startInPage(file ?? URL.createObjectURL(new Blob([script], { type: 'text/javascript' })), events);
  }
  // V8 flags set after the process started are not in a worker's own list: pass them on.
  const flags = `process.execArgv = ${JSON.stringify(node.execArgv)};`;
  // Node's modules are looked up at run time, so that bundlers of pages find nothing to bundle.
  const worker = new (node.getBuiltinModule('node:worker_threads').Worker)(flags + script, { eval: true });
  worker.on('message', (data: unknown) => {
    events.message(data);
  });
  worker.on('error', (cause) => {
    events.failed(cause);
  });
  worker.on('messageerror', (cause) => {
    events.failed(cause);
  });
  worker.on('exit', (code) => {
    events.failed(`it ended with exit code ${code}`);
  });
  worker.unref();
  return {
    post: (message, transfer) => {
      worker.postMessage(message, transfer);
    },
    keepAlive: (alive) => {
      if (alive) worker.ref();
      else worker.unref();
    },
    terminate: () => void worker.terminate(),
  };
}

const NOT_STARTED =
  "its script could not be loaded; a page's policy needs worker-src blob:, or worker-src 'self' and the files of " +
  'dist/workers at configureRuntime({ workerPath })';

function startInPage(url: string, events: WorkerEvents): WorkerThread {
  const worker = new Worker(trusted(url) as string);
  worker.onmessage = ({ data }) => {
    // The first answer: the script has been fetched.
    URL.revokeObjectURL(url);
    events.message(data);
  };
  worker.onerror = (event) => {
    URL.revokeObjectURL(url);
    event.preventDefault();
    // The message is empty if the script was blocked or not found.
    events.failed(event.message || NOT_STARTED);
  };
  worker.onmessageerror = (event) => {
    events.failed(event.data);
  };
  return {
    post: (message, transfer) => {
      worker.postMessage(message, transfer);
    },
    keepAlive: () => undefined,
    terminate: () => {
      worker.terminate();
    },
  };
}

interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL(url: string): string },
  ): { createScriptURL(url: string): unknown };
}
let policy: ReturnType<TrustedTypes['createPolicy']> | undefined;

/** The address of one of our scripts in the form that `require-trusted-types-for 'script'` demands. */
function trusted(url: string): unknown {
  const { trustedTypes } = globalThis as { readonly trustedTypes?: TrustedTypes };
  policy ??= trustedTypes?.createPolicy('magnitude-edge', { createScriptURL: (own) => own });
  return policy === undefined ? url : policy.createScriptURL(url);
}

/** Worker side: receives messages from the thread that started this one. Returns how to post to it. */
export function connectToParent(receive: (data: unknown) => void): WorkerThread['post'] {
  const port = nodeProcess()?.getBuiltinModule('node:worker_threads').parentPort;
  if (port) {
    port.on('message', receive);
    return (message, transfer) => {
      port.postMessage(message, transfer);
    };
  }
  const scope = globalThis as unknown as Pick<Worker, 'onmessage' | 'postMessage'>;
  scope.onmessage = ({ data }) => {
    receive(data);
  };
  return (message, transfer) => {
    scope.postMessage(message, transfer);
  };
}
