import { nodeProcess } from '../node-process.ts';
import { workerFile } from '../worker-folder.ts';

/** A worker, of a page or of Node: what the two have in common. */
export interface WorkerThread {
  post(message: unknown, transfer: ArrayBuffer[]): void;
  /** In Node, whether the process may end although the worker is there. No effect elsewhere. */
  keepAlive(wanted: boolean): void;
  terminate(): void;
}

/** What a worker is heard to say. `failed` comes when it could not start or did not survive, perhaps more than once. */
export interface WorkerEvents {
  message(data: unknown): void;
  failed(cause: unknown): void;
}

/**
 * Starts a worker from the text of a classic script: from a Blob in pages (a content security policy must allow
 * `worker-src blob:`) and in workers, from worker_threads in Node. From a file of that name in pages that say where it is.
 *
 * @returns undefined where workers do not exist
 * @throws what the platform throws when it refuses
 */
export function startWorker(script: string, events: WorkerEvents, name?: string): WorkerThread | undefined {
  // Not by whether there is a Worker: onnxruntime-web puts one into Node that takes no Blob.
  const node = nodeProcess();
  if (node === undefined) {
    if (typeof Worker !== 'function') return undefined;
    const file = name === undefined ? undefined : workerFile(name);
    return startInPage(file ?? URL.createObjectURL(new Blob([script], { type: 'text/javascript' })), events);
  }
  // Flags that V8 was given since the process started are in no worker's own list: it learns of them here.
  const flags = `process.execArgv = ${JSON.stringify(node.execArgv)};`;
  // Node gives its modules at run time: nothing for the bundlers of pages to find.
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
    keepAlive: (wanted) => {
      if (wanted) worker.ref();
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
    // There is no message where the script was not let in, or not found.
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

/** The address of a script of ours, as pages with `require-trusted-types-for 'script'` want it. */
function trusted(url: string): unknown {
  const { trustedTypes } = globalThis as { readonly trustedTypes?: TrustedTypes };
  policy ??= trustedTypes?.createPolicy('magnitude-edge', { createScriptURL: (own) => own });
  return policy === undefined ? url : policy.createScriptURL(url);
}

/** Messages of the thread that started this one, and the way back to it; for the worker's own side. */
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
