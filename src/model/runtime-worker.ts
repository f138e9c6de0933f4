import type * as Ort from 'onnxruntime-web';
import { nodeProcess } from '../node-process.ts';
import { SerialQueue } from '../serial-queue.ts';

/** Calls to the thread, which take effect in the order they come. Arrays are transferred both ways. */
export type RuntimeCall =
  /** First call. @param entry address of onnxruntime-web */
  | { readonly name: 'load'; readonly entry: string }
  | {
      readonly name: 'create';
      /** Settings of the runtime, which reads them once */
      readonly env: RuntimeEnv;
      readonly model: Uint8Array;
      readonly options: Ort.InferenceSession.SessionOptions;
      /** The id for later calls */
      readonly session: number;
    }
  | {
      readonly name: 'run';
      readonly session: number;
      readonly feeds: Readonly<Record<string, TensorValues>>;
      readonly outputs: readonly string[];
    }
  | { readonly name: 'release'; readonly session: number };

export interface RuntimeEnv {
  readonly logLevel: Ort.Env['logLevel'];
  readonly wasm: Ort.Env.WebAssemblyFlags;
}

/** A float32 tensor. */
export interface TensorValues {
  readonly data: Float32Array;
  readonly dims: readonly number[];
}

/** For a run: its outputs, in the order requested */
export type RuntimeAnswer = { readonly id: number } & (
  { readonly result: readonly TensorValues[] } | { readonly error: string }
);

let loading: Promise<typeof Ort> | undefined;
const sessions = new Map<number, Ort.InferenceSession>();
const queue = new SerialQueue();
const port = nodeProcess()!.getBuiltinModule('node:worker_threads').parentPort!;

port.on('message', ({ id, call }: { id: number; call: RuntimeCall }) => {
  void queue.run(async () => {
    try {
      const result = await answerTo(call);
      port.postMessage(
        { id, result } satisfies RuntimeAnswer,
        result.map(({ data }) => data.buffer as ArrayBuffer),
      );
    } catch (cause) {
      const error = cause instanceof Error ? cause.message : String(cause);
      port.postMessage({ id, error } satisfies RuntimeAnswer);
    }
  });
});

async function answerTo(call: RuntimeCall): Promise<readonly TensorValues[]> {
  if (call.name === 'load') loading = import(call.entry) as Promise<typeof Ort>;
  const ort = await loading!;
  switch (call.name) {
    case 'load':
      return [];
    case 'create': {
      ort.env.logLevel = call.env.logLevel!;
      Object.assign(ort.env.wasm, call.env.wasm);
      sessions.set(call.session, await ort.InferenceSession.create(call.model, call.options));
      return [];
    }
    case 'run': {
      const feeds = Object.entries(call.feeds).map(
        ([name, { data, dims }]) => [name, new ort.Tensor('float32', data, dims)] as const,
      );
      const found = await sessions.get(call.session)!.run(Object.fromEntries(feeds), call.outputs);
      return call.outputs.map((name) => {
        const { data, dims } = found[name]!;
        return { data: data as Float32Array, dims };
      });
    }
    case 'release':
      await sessions.get(call.session)?.release();
      sessions.delete(call.session);
      return [];
  }
}
