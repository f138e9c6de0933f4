import { MagnitudeEdgeError } from 'magnitude-edge';

/** Messages to and from a worker: a call, its answer or refusal, and unsolicited events. */
type Message =
  | { kind: 'call'; id: number; method: string; args: unknown[] }
  | { kind: 'answer'; id: number; value: unknown }
  | { kind: 'refusal'; id: number; refusal: Refusal }
  | { kind: 'event'; name: string; value: unknown };

/** An error as a structured clone, which loses its class: its parts are sent instead. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
}

/** Both a page's `Worker` and a worker's own global scope. */
export interface Port {
  postMessage(message: unknown, transfer: Transferable[]): void;
  addEventListener(type: 'message', listener: (event: MessageEvent<Message>) => void): void;
}

/** The methods of an interface as calls to a worker. */
export type Methods<Api> = {
  [K in keyof Api]: Api[K] extends (...args: infer A) => infer R
    ? (...args: A) => Promise<Awaited<R>>
    : never;
};

/** A worker's own port. The DOM library of TypeScript describes the global scope of a page instead. */
export const ownPort = globalThis as unknown as Port;

const transfers = new WeakMap<object, Transferable[]>();

/** Marks an answer or argument so that its buffers are transferred instead of copied. */
export function moved<T extends object>(
  value: T,
  buffers: readonly (ArrayBufferLike | OffscreenCanvas | ImageBitmap)[],
): T {
  transfers.set(value, [...new Set(buffers)] as Transferable[]);
  return value;
}

const transferOf = (value: unknown): Transferable[] =>
  typeof value === 'object' && value !== null ? (transfers.get(value) ?? []) : [];

/** Any thrown value as one sentence with a code. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof MagnitudeEdgeError) return { code: error.code, message: error.message };
  if (error instanceof Error) return { code: error.name, message: error.message };
  return { code: 'unknown', message: String(error) };
}

/** Answers calls with the methods of `api`. Returns the function that sends events to the other side. */
export function serve(port: Port, api: object): (name: string, value: unknown) => void {
  const answer = async (call: Extract<Message, { kind: 'call' }>) => {
    try {
      const method = (api as Record<string, (...args: unknown[]) => unknown>)[call.method]!;
      const value = await method.apply(api, call.args);
      port.postMessage({ kind: 'answer', id: call.id, value } satisfies Message, transferOf(value));
    } catch (error) {
      port.postMessage({ kind: 'refusal', id: call.id, refusal: refusalOf(error) } satisfies Message, []);
    }
  };
  port.addEventListener('message', ({ data }) => {
    if (data.kind === 'call') void answer(data);
  });
  return (name, value) => {
    port.postMessage({ kind: 'event', name, value } satisfies Message, transferOf(value));
  };
}

/** The other side of a worker: its methods as calls, and a way to replace the worker. */
export interface Link<Api extends object> {
  readonly calls: Methods<Api>;
  /** Continues with another port. Calls that the previous one has not answered reject with `refusal`. */
  replace(port: Port, refusal: Refusal): void;
}

/** Calls the methods that a worker serves; `onEvent` receives its events. Refusals reject as {@link WorkerRefusal}. */
export function connect<Api extends object>(
  first: Port,
  onEvent: (name: string, value: unknown) => void = () => undefined,
): Link<Api> {
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  let next = 0;
  let port = first;
  const listen = (to: Port) => {
    to.addEventListener('message', ({ data }) => {
      // Ignores late messages of a replaced worker.
      if (to !== port || data.kind === 'call') return;
      if (data.kind === 'event') {
        onEvent(data.name, data.value);
        return;
      }
      const caller = waiting.get(data.id);
      waiting.delete(data.id);
      if (data.kind === 'answer') caller?.resolve(data.value);
      else caller?.reject(new WorkerRefusal(data.refusal));
    });
  };
  listen(port);
  const calls = new Proxy({} as Methods<Api>, {
    get: (_, method) => {
      // A proxy that is awaited must not look like a promise.
      if (typeof method !== 'string' || method === 'then') return undefined;
      return (...args: unknown[]) =>
        new Promise((resolve, reject) => {
          const id = next++;
          waiting.set(id, { resolve, reject });
          port.postMessage({ kind: 'call', id, method, args } satisfies Message, args.flatMap(transferOf));
        });
    },
  });
  return {
    calls,
    replace(another, refusal) {
      const unanswered = [...waiting.values()];
      waiting.clear();
      port = another;
      listen(port);
      for (const { reject } of unanswered) reject(new WorkerRefusal(refusal));
    },
  };
}

/** A refusal from a worker, with its code. */
export class WorkerRefusal extends Error {
  override readonly name = 'WorkerRefusal';
  readonly code: string;

  constructor(refusal: Refusal) {
    super(refusal.message);
    this.code = refusal.code;
  }
}
