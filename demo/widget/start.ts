import tableScript from '../src/worker/table.worker.ts?script';
import type { Port } from '../src/worker/rpc.ts';
import type { EndablePort } from '../src/worker/start.ts';

/** Posted by a worker's script once it runs. */
const started = { kind: 'event', name: 'started', value: null };

/** Addresses of the script, to be tried in turn: most notebooks allow Blobs, the one of VS Code only data addresses. */
function* addresses(script: string): Generator<string> {
  const text = `${script};postMessage(${JSON.stringify(started)})`;
  yield URL.createObjectURL(new Blob([text], { type: 'text/javascript' }));
  yield `data:text/javascript;charset=utf-8,${encodeURIComponent(text)}`;
}

/** A running worker, or null if the page's policy refuses it. */
function startFrom(address: string): Promise<Worker | null> {
  return new Promise((resolve) => {
    let worker: Worker;
    try {
      worker = new Worker(address);
    } catch {
      resolve(null);
      return;
    }
    worker.addEventListener('message', () => {
      resolve(worker);
    });
    worker.addEventListener('error', () => {
      resolve(null);
    });
  });
}

/** The thread that owns edge tables. Messages sent before it runs are queued. */
export function startTable(): Port {
  let worker: Worker | null = null;
  const waiting: { message: unknown; transfer: Transferable[] }[] = [];
  const listeners: Parameters<Port['addEventListener']>[1][] = [];
  const begin = async () => {
    for (const address of addresses(tableScript)) {
      worker = await startFrom(address);
      if (worker) break;
    }
    if (!worker) throw new Error('The policy of this page lets no worker start, which the explorer needs.');
    for (const listener of listeners) worker.addEventListener('message', listener);
    for (const { message, transfer } of waiting.splice(0)) worker.postMessage(message, transfer);
  };
  void begin();
  return {
    postMessage(message, transfer) {
      if (worker) worker.postMessage(message, transfer);
      else waiting.push({ message, transfer });
    },
    addEventListener(type, listener) {
      if (worker) worker.addEventListener(type, listener);
      else listeners.push(listener);
    },
  };
}

/** Stands in for the thread that fits: here a table is only shown, and every call is refused. */
export function startFit(): EndablePort {
  const listeners: Parameters<Port['addEventListener']>[1][] = [];
  return {
    postMessage(message) {
      const { id } = message as { id: number };
      const refusal = { code: 'invalid-argument', message: 'This explorer shows a table and runs no model.' };
      const data = { kind: 'refusal', id, refusal } as const;
      for (const listener of listeners) listener(new MessageEvent('message', { data }));
    },
    addEventListener(_, listener) {
      listeners.push(listener);
    },
    terminate: () => undefined,
  };
}
