import type * as Ort from 'onnxruntime-web';
import { nodeProcess } from '../node-process.ts';
import { isRuntimeOnOwnThread, useRuntimeOnOwnThread, type OrtModule } from './runtime.ts';
import type { RuntimeAnswer, RuntimeCall, RuntimeEnv, TensorValues } from './runtime-worker.ts';
import script from './runtime-worker.ts?script';

/**
 * Makes Node run its models on a thread of their own. The thread starts at once: the runtime loads while this thread
 * does something else, and a batch runs while the previous one is accumulated. Call it before the first model is
 * loaded.
 *
 * @param entry address of onnxruntime-web, which the thread cannot find itself
 */
export function runModelsOnOwnThread(entry: string): void {
  if (isRuntimeOnOwnThread()) return;
  const worker = startWorker();
  if (!worker) return;
  const thread = new RuntimeThread(worker, entry);
  const env: RuntimeEnv = { logLevel: 'warning', wasm: {} };
  let sessions = 0;
  const create = async (
    model: Uint8Array,
    options: Ort.InferenceSession.SessionOptions,
  ): Promise<ThreadSession> => {
    const session = sessions++;
    // A copy to transfer: the caller keeps its own.
    const own = model.slice();
    await thread.call({ name: 'create', env, model: own, options, session }, [own]);
    return new ThreadSession(thread, session);
  };
  // The part of the runtime's API that runtime.ts uses.
  const ort = { env, InferenceSession: { create }, Tensor: ThreadTensor, onOwnThread: true };
  useRuntimeOnOwnThread(ort as unknown as OrtModule);
}

class ThreadTensor implements TensorValues {
  readonly location = 'cpu';
  readonly data: Float32Array;
  readonly dims: readonly number[];

  constructor(_type: 'float32', data: Float32Array, dims: readonly number[]) {
    this.data = data;
    this.dims = dims;
  }

  dispose(): void {
    // An ordinary array: nothing to free.
  }
}

class ThreadSession {
  readonly #thread: RuntimeThread;
  readonly #session: number;

  constructor(owner: RuntimeThread, session: number) {
    this.#thread = owner;
    this.#session = session;
  }

  async run(
    feeds: Readonly<Record<string, TensorValues>>,
    outputs: readonly string[],
  ): Promise<Record<string, ThreadTensor>> {
    // Copies to transfer: a view would take its whole buffer along.
    const own = Object.entries(feeds).map(
      ([name, { data, dims }]) => [name, { data: data.slice(), dims }] as const,
    );
    const found = await this.#thread.call(
      { name: 'run', session: this.#session, feeds: Object.fromEntries(own), outputs },
      own.map(([, { data }]) => data),
    );
    return Object.fromEntries(
      found.map(({ data, dims }, at) => [outputs[at]!, new ThreadTensor('float32', data, dims)]),
    );
  }

  async release(): Promise<void> {
    await this.#thread.call({ name: 'release', session: this.#session });
  }
}

interface Waiting {
  readonly resolve: (result: readonly TensorValues[]) => void;
  readonly reject: (error: Error) => void;
}

type Worker = NonNullable<ReturnType<typeof startWorker>>;

/** Calls to the thread; Node stays alive while any are pending. */
class RuntimeThread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #ended: Error | undefined;
  #calls = 0;

  constructor(worker: Worker, entry: string) {
    this.#worker = worker;
    this.#worker.on('message', (answer: RuntimeAnswer) => {
      this.#answer(answer);
    });
    this.#worker.on('error', (cause) => {
      this.#end(String(cause));
    });
    this.#worker.on('exit', (code) => {
      this.#end(`exit code ${code}`);
    });
    // The first session reports a failure.
    this.call({ name: 'load', entry }).catch(() => undefined);
  }

  call(
    call: RuntimeCall,
    handed: readonly (Uint8Array<ArrayBuffer> | Float32Array<ArrayBuffer>)[] = [],
  ): Promise<readonly TensorValues[]> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) throw this.#ended;
      const id = this.#calls++;
      this.#worker.postMessage(
        { id, call },
        handed.map(({ buffer }) => buffer),
      );
      this.#waiting.set(id, { resolve, reject });
      this.#worker.ref();
    });
  }

  #answer(answer: RuntimeAnswer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (this.#waiting.size === 0) this.#worker.unref();
    if ('error' in answer) waiting?.reject(new Error(answer.error));
    else waiting?.resolve(answer.result);
  }

  #end(why: string): void {
    this.#ended ??= new Error(`the thread that models run on has ended: ${why}`);
    for (const { reject } of this.#waiting.values()) reject(this.#ended);
    this.#waiting.clear();
  }
}

/** Undefined if the platform refuses. That only costs time, and the statistics' threads report it. */
function startWorker() {
  const { Worker } = nodeProcess()!.getBuiltinModule('node:worker_threads');
  try {
    const worker = new Worker(script, { eval: true });
    worker.unref();
    return worker;
  } catch {
    return undefined;
  }
}
