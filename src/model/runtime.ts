/** The only file that imports onnxruntime-web: what is known of its ways is kept here (issues named where they bite). */
import type * as Ort from 'onnxruntime-web';
import { availableThreads } from '../available-threads.ts';
import { MagnitudeEdgeError } from '../errors.ts';
import { lossOr } from '../gpu/device.ts';
import { nodeProcess } from '../node-process.ts';
import { DataType } from '../onnx/data-type.ts';
import { encodeModel } from '../onnx/encode.ts';
import { identityNode } from '../onnx/graph.ts';
import { SerialQueue } from '../serial-queue.ts';
import { setWorkerFolder } from '../worker-folder.ts';
import { runtimeError, setFiles, whyNotStarted, type Build, type RuntimeFiles } from './runtime-files.ts';
import { OrtOutputs, type RuntimeOutputs } from './runtime-outputs.ts';

export type ExecutionProvider = 'webgpu' | 'wasm';

/** Settings of onnxruntime-web for the whole page or process; they count from the next module load on. */
export interface RuntimeConfiguration extends RuntimeFiles {
  /**
   * Threads of the wasm provider. Default: in Node one less than there are cores, which leaves one to the statistics, up to
   * 4, and 1 where the first model is small; in a page 1, since a page has to be served for more (docs/guide.md, "Threads"). Without cross-origin isolation it stays 1.
   */
  readonly numThreads?: number;
  /** The folder with the files of dist/workers, for pages whose policy is `worker-src 'self'`. Default: workers start from Blobs. */
  readonly workerPath?: string | URL;
}

/** One tensor that a model takes: `dims` and as many float32 values. */
export interface HostTensor {
  readonly data: Float32Array;
  readonly dims: readonly number[];
}

export interface SessionOptions {
  readonly provider: ExecutionProvider;
  /** The device to run on; needed for 'webgpu', borrowed. */
  readonly device?: GPUDevice | undefined;
  /** Names of the outputs that stay on the GPU. Only with 'webgpu'. */
  readonly outputsOnGpu?: readonly string[];
  /** Whether threads would cost more than they save; see {@link runtimeThreads}. Default false. */
  readonly small?: boolean;
}

/** A model that is ready to run. */
export interface RuntimeSession {
  /** Whether the WebGPU provider runs the whole model. Nodes that it has no kernel for run on the CPU otherwise. */
  readonly allOnGpu: boolean;
  /** Whether it runs on another thread, where a run is worth asking for while the values of the last one are taken in. */
  readonly runsBeside: boolean;
  /** Runs the model and fetches the outputs named. */
  run(feeds: Readonly<Record<string, HostTensor>>, outputs: readonly string[]): Promise<RuntimeOutputs>;
  /** Idempotent. The device stays. */
  release(): Promise<void>;
}

let configuration: RuntimeConfiguration = {};

/**
 * Sets where onnxruntime-web and the workers find their files, and how many threads the runtime uses. Call it before the first
 * model is loaded: the runtime reads its settings once.
 */
export function configureRuntime(settings: RuntimeConfiguration): void {
  configuration = { ...configuration, ...settings };
  if ('workerPath' in settings) setWorkerFolder(settings.workerPath);
}

/** What is used of the runtime. */
export interface OrtModule extends Pick<typeof Ort, 'env' | 'InferenceSession' | 'Tensor'> {
  /** Whether it is on another thread, and puts its calls in order there. */
  readonly runsBeside?: boolean;
}

const modules = new Map<Build, Promise<OrtModule>>();
/** Threads that a build was started with: it keeps them. */
const threadsInUse = new Map<Build, number>();

/** JSPI, where the browser has it, makes the WebGPU build a third smaller than the one that emulates it. */
function buildFor(provider: ExecutionProvider): Build {
  if (nodeProcess()) return 'node';
  if (provider === 'wasm') return 'wasm';
  return 'Suspending' in WebAssembly ? 'jspi' : 'webgpu';
}

/** Loads the build that the provider needs, and no other: each brings its own .wasm (14 to 27 MB). */
function loadModule(provider: ExecutionProvider, small: boolean): Promise<OrtModule> {
  const build = buildFor(provider);
  let loading = modules.get(build);
  if (!loading) {
    const threads = runtimeThreads(provider, small);
    threadsInUse.set(build, threads);
    loading = importBuild(build).then((ort) => configure(ort, build, threads));
    modules.set(build, loading);
    // A failed load (offline, a file not found) may be tried again.
    loading.catch(() => {
      modules.delete(build);
      threadsInUse.delete(build);
    });
  }
  return loading;
}

/** The entry for Node is named at run time only: a page's bundler must not pull a third build in for it. */
const nodeEntry = 'onnxruntime-web';

let besideModule: OrtModule | undefined;

/** Has Node use a runtime that is on another thread; before the first model. */
export function useRuntimeBeside(ort: OrtModule): void {
  besideModule = ort;
}

/** Whether Node's runtime is on another thread. */
export function isRuntimeBeside(): boolean {
  return besideModule !== undefined;
}

function importBuild(build: Build): Promise<OrtModule> {
  switch (build) {
    case 'node':
      if (besideModule) return Promise.resolve(besideModule);
      return import(/* @vite-ignore */ /* webpackIgnore: true */ nodeEntry) as Promise<OrtModule>;
    case 'wasm':
      return import('onnxruntime-web/wasm');
    case 'jspi':
      return import('onnxruntime-web/jspi');
    case 'webgpu':
      return import('onnxruntime-web/webgpu');
  }
}

async function configure(ort: OrtModule, build: Build, threads: number): Promise<OrtModule> {
  ort.env.logLevel = 'fatal';
  ort.env.wasm.numThreads = threads;
  // Threads that cannot start in a page (see below) must end in an error, not in a wait without end. In Node they do
  // start, and the timer would keep the process alive.
  if (threads > 1 && !nodeProcess()) ort.env.wasm.initTimeout = 60_000;
  await setFiles(ort.env.wasm, build, configuration);
  return ort;
}

/**
 * The number of threads that the provider computes with, or would if it were started now. In a page one, unless it was
 * asked for more: threads need cross-origin isolation, and they start from the runtime's own module, which a bundler may
 * have joined to code of the page that does not run in a worker; the runtime then waits for ever. In Node one where the
 * model that starts it is small: handing out work and waiting for it took longer than the work.
 */
export function runtimeThreads(provider: ExecutionProvider, small = false): number {
  return threadsInUse.get(buildFor(provider)) ?? threadsToStart(provider, small);
}

/** Whether the runtime was started for a smaller model, with fewer threads than one of this size would have had. */
export function startedForSmaller(provider: ExecutionProvider, small: boolean): boolean {
  const inUse = threadsInUse.get(buildFor(provider));
  return inUse !== undefined && inUse < threadsToStart(provider, small);
}

function threadsToStart(provider: ExecutionProvider, small: boolean): number {
  const process = nodeProcess();
  if (provider === 'webgpu' || (!process && !globalThis.crossOriginIsolated)) return 1;
  if (configuration.numThreads !== undefined) return configuration.numThreads;
  if (!process || small) return 1;
  return Math.max(1, Math.min(4, availableThreads() - 1));
}

/**
 * One call into the runtime at a time: it refuses to create two sessions at once ("another WebGPU EP inference session
 * is being created"), and a build without real suspension runs one thing at a time.
 */
const calls = new SerialQueue();

function inTurn<T>({ runsBeside = false }: OrtModule, call: () => Promise<T>): Promise<T> {
  return runsBeside ? call() : calls.run(call);
}

/**
 * Makes a session of an ONNX model. Sessions are created one after the other, however they are asked for.
 * @throws MagnitudeEdgeError `runtime` with the runtime's own error as cause
 */
export async function createSession(model: Uint8Array, options: SessionOptions): Promise<RuntimeSession> {
  const { provider, device, outputsOnGpu = [], small = false } = options;
  let ort: OrtModule;
  try {
    ort = await loadModule(provider, small);
  } catch (cause) {
    throw notStarted(cause, provider) ?? runtimeError('onnxruntime-web could not be loaded', cause);
  }
  const create = (settings: Ort.InferenceSession.SessionOptions): Promise<Ort.InferenceSession> =>
    inTurn(ort, () =>
      ort.InferenceSession.create(model, {
        // The option is there since 1.24; env.webgpu.device, its documented twin, is ignored (onnxruntime #26107).
        executionProviders: [provider === 'webgpu' ? { name: 'webgpu', device: device! } : 'wasm'],
        preferredOutputLocation: Object.fromEntries(
          outputsOnGpu.map((name) => [name, 'gpu-buffer' as const]),
        ),
        logSeverityLevel: 4,
        ...settings,
      }),
    );
  try {
    const strict = provider === 'webgpu' ? await unlessLeftToCpu(create(withoutCpu)) : undefined;
    return new OrtSession(ort, strict ?? (await create({})), device, strict !== undefined);
  } catch (cause) {
    const error = notStarted(cause, provider);
    if (error !== undefined) throw error;
    throw await failure(device, 'onnxruntime-web could not prepare the training graph', cause);
  }
}

/**
 * The WebGPU provider gives nodes without a kernel to the CPU and says so in its log alone, which goes to the console.
 * A session with this setting is refused instead.
 */
const withoutCpu = { extra: { session: { disable_cpu_ep_fallback: '1' } } } as const;

/** The session, or undefined where it is refused for nodes that would run on the CPU. */
async function unlessLeftToCpu(
  session: Promise<Ort.InferenceSession>,
): Promise<Ort.InferenceSession | undefined> {
  try {
    return await session;
  } catch (cause) {
    if (cause instanceof Error && cause.message.includes('fallback to CPU EP')) return undefined;
    throw cause;
  }
}

/**
 * Whether the WebGPU provider runs the whole of a model as it is written, without the CPU; false too where the model
 * cannot be read.
 */
export async function runsOnGpu(model: Uint8Array, device: GPUDevice): Promise<boolean> {
  const ort = await loadModule('webgpu', false);
  try {
    const session = await calls.run(() =>
      ort.InferenceSession.create(model, {
        executionProviders: [{ name: 'webgpu', device }],
        graphOptimizationLevel: 'disabled',
        logSeverityLevel: 4,
        ...withoutCpu,
      }),
    );
    await calls.run(() => session.release());
    return true;
  } catch {
    return false;
  }
}

/**
 * Loads and starts the runtime before there is a model, for callers who are waiting for one. What goes wrong is told by the
 * first session that is asked for. Resolves when a runtime beside this thread has been called: none is while this one works.
 */
export async function startRuntime(options: Pick<SessionOptions, 'provider' | 'small'>): Promise<void> {
  const type = { elementType: DataType.float32, shape: [1] };
  const nothing = encodeModel({
    irVersion: 8,
    opsets: new Map([['', 18]]),
    metadata: new Map(),
    functions: [],
    graph: {
      name: 'nothing',
      inputs: [{ name: 'x', type }],
      outputs: [{ name: 'y', type }],
      valueTypes: new Map(),
      initializers: new Map(),
      nodes: [identityNode('', 'x', 'y')],
    },
  });
  createSession(nothing, options)
    .then((session) => session.release())
    .catch(() => undefined);
  await new Promise((resolve) => setTimeout(resolve));
}

class OrtSession implements RuntimeSession {
  readonly allOnGpu: boolean;
  readonly runsBeside: boolean;
  readonly #ort: OrtModule;
  readonly #device: GPUDevice | undefined;
  #session: Ort.InferenceSession | undefined;

  constructor(
    ort: OrtModule,
    session: Ort.InferenceSession,
    device: GPUDevice | undefined,
    allOnGpu: boolean,
  ) {
    this.allOnGpu = allOnGpu;
    this.runsBeside = ort.runsBeside ?? false;
    this.#ort = ort;
    this.#session = session;
    this.#device = device;
  }

  async run(
    feeds: Readonly<Record<string, HostTensor>>,
    outputs: readonly string[],
  ): Promise<RuntimeOutputs> {
    const session = this.#session;
    if (!session)
      throw new MagnitudeEdgeError('released', 'The model has been released and cannot run any more.');
    const inputs = Object.entries(feeds).map(
      ([name, { data, dims }]) => [name, new this.#ort.Tensor('float32', data, dims)] as const,
    );
    try {
      return new OrtOutputs(await inTurn(this.#ort, () => session.run(Object.fromEntries(inputs), outputs)));
    } catch (cause) {
      throw await failure(this.#device, 'onnxruntime-web failed while running the model', cause);
    }
  }

  async release(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    if (session) await inTurn(this.#ort, () => session.release());
  }
}

/** The runtime does not say when its device has gone away: the device itself is asked. */
async function failure(device: GPUDevice | undefined, what: string, cause: unknown): Promise<unknown> {
  const error = runtimeError(what, cause);
  return device ? lossOr(device, error) : error;
}

/** The error where the runtime's own files could not be had; the runtime tells of it when it makes its first session. */
function notStarted(cause: unknown, provider: ExecutionProvider): MagnitudeEdgeError | undefined {
  const why = cause instanceof Error ? whyNotStarted(cause.message, buildFor(provider)) : undefined;
  if (why === undefined) return undefined;
  return new MagnitudeEdgeError('runtime', `onnxruntime-web could not be started: ${why}.`, { cause });
}
