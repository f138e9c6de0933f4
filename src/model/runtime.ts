/** The only file that imports onnxruntime-web: its quirks are documented here, with issue numbers where they apply. */
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

/** Settings of onnxruntime-web for the whole page or process; they take effect at the next module load. */
export interface RuntimeConfiguration extends RuntimeFiles {
  /**
   * Threads of the wasm provider. Default in Node: one less than there are cores, which leaves one to the statistics,
   * up to 4, and 1 if the first model is small. Default in a page: 1, since more need a page that is served for it
   * (docs/guide.md, "Threads"). Without cross-origin isolation it stays 1.
   */
  readonly numThreads?: number;
  /**
   * The folder with the files of dist/workers, for pages whose policy is `worker-src 'self'`. Default: workers start
   * from Blobs.
   */
  readonly workerPath?: string | URL;
}

/** One input tensor of a model: `dims` and as many float32 values. */
export interface HostTensor {
  readonly data: Float32Array;
  readonly dims: readonly number[];
}

export interface SessionOptions {
  readonly provider: ExecutionProvider;
  /** The device to run on; needed for 'webgpu', borrowed. */
  readonly device?: GPUDevice | undefined;
  /** Names of the outputs to leave on the GPU. Only with 'webgpu'. */
  readonly outputsOnGpu?: readonly string[];
  /** Whether threads would cost more than they save; see {@link runtimeThreads}. Default false. */
  readonly small?: boolean;
}

/** A model that is ready to run. */
export interface RuntimeSession {
  /** Whether the WebGPU provider runs the whole model. Otherwise nodes without a kernel run on the CPU. */
  readonly allOnGpu: boolean;
  /** Whether it runs on another thread, so that a run can overlap with accumulating the values of the last one. */
  readonly onOwnThread: boolean;
  /** Runs the model and fetches the named outputs. */
  run(feeds: Readonly<Record<string, HostTensor>>, outputs: readonly string[]): Promise<RuntimeOutputs>;
  /** Idempotent. Does not destroy the device. */
  release(): Promise<void>;
}

let configuration: RuntimeConfiguration = {};

/**
 * Sets where onnxruntime-web and the workers find their files, and how many threads the runtime uses. Call it before
 * the first model is loaded: the runtime reads its settings once.
 */
export function configureRuntime(settings: RuntimeConfiguration): void {
  configuration = { ...configuration, ...settings };
  if ('workerPath' in settings) setWorkerFolder(settings.workerPath);
}

/** The part of the runtime that is used. */
export interface OrtModule extends Pick<typeof Ort, 'env' | 'InferenceSession' | 'Tensor'> {
  /** Whether it is on another thread, which orders its calls itself. */
  readonly onOwnThread?: boolean;
}

const modules = new Map<Build, Promise<OrtModule>>();
/** Threads that a build was started with, which cannot change. */
const threadsInUse = new Map<Build, number>();

/** With JSPI, if the browser has it, the WebGPU build is a third smaller than the one that emulates it. */
function buildFor(provider: ExecutionProvider): Build {
  if (nodeProcess()) return 'node';
  if (provider === 'wasm') return 'wasm';
  return 'Suspending' in WebAssembly ? 'jspi' : 'webgpu';
}

/** Loads only the build that the provider needs: each brings its own .wasm (14 to 27 MB). */
function loadModule(provider: ExecutionProvider, small: boolean): Promise<OrtModule> {
  const build = buildFor(provider);
  let loading = modules.get(build);
  if (!loading) {
    const threads = runtimeThreads(provider, small);
    threadsInUse.set(build, threads);
    loading = importBuild(build).then((ort) => configure(ort, build, threads));
    modules.set(build, loading);
    // A failed load (offline, a file not found) may be retried.
    loading.catch(() => {
      modules.delete(build);
      threadsInUse.delete(build);
    });
  }
  return loading;
}

/** Node's entry point is a run-time value, so that a page's bundler does not include a third build for it. */
const nodeEntry = 'onnxruntime-web';

let ownThreadModule: OrtModule | undefined;

/** Makes Node use a runtime on another thread. Call it before the first model is loaded. */
export function useRuntimeOnOwnThread(ort: OrtModule): void {
  ownThreadModule = ort;
}

/** Whether Node's runtime is on another thread. */
export function isRuntimeOnOwnThread(): boolean {
  return ownThreadModule !== undefined;
}

function importBuild(build: Build): Promise<OrtModule> {
  switch (build) {
    case 'node':
      if (ownThreadModule) return Promise.resolve(ownThreadModule);
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
  // Threads that cannot start in a page (see below) must end in an error rather than hang. In Node they do start, and
  // the timer would keep the process alive.
  if (threads > 1 && !nodeProcess()) ort.env.wasm.initTimeout = 60_000;
  await setFiles(ort.env.wasm, build, configuration);
  return ort;
}

/**
 * The number of threads that the provider computes with, or would if it were started now. In a page 1, unless more were
 * requested: threads need cross-origin isolation, and they start from the runtime's own module, which a bundler may
 * have merged with code of the page that does not run in a worker; the runtime then waits forever. In Node 1 if the
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

function oneAtATime<T>({ onOwnThread = false }: OrtModule, call: () => Promise<T>): Promise<T> {
  return onOwnThread ? call() : calls.run(call);
}

/**
 * Creates a session of an ONNX model. Sessions are created one after the other, even if requested at once.
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
    oneAtATime(ort, () =>
      ort.InferenceSession.create(model, {
        // The option exists since 1.24; env.webgpu.device, its documented twin, is ignored (onnxruntime #26107).
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
 * The WebGPU provider gives nodes without a kernel to the CPU and says so only in its log, on the console. With this
 * setting the session is refused instead.
 */
const withoutCpu = { extra: { session: { disable_cpu_ep_fallback: '1' } } } as const;

/** The session; undefined if it is refused because nodes would run on the CPU. */
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
 * Whether the WebGPU provider runs a whole model as it is written, without the CPU; also false if the model cannot be
 * read.
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
 * Loads and starts the runtime before there is a model, for callers who are waiting for one. The first requested
 * session reports any error. Resolves once a runtime on another thread has been called, which happens only when this
 * thread yields.
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
  readonly onOwnThread: boolean;
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
    this.onOwnThread = ort.onOwnThread ?? false;
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
      return new OrtOutputs(
        await oneAtATime(this.#ort, () => session.run(Object.fromEntries(inputs), outputs)),
      );
    } catch (cause) {
      throw await failure(this.#device, 'onnxruntime-web failed while running the model', cause);
    }
  }

  async release(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    if (session) await oneAtATime(this.#ort, () => session.release());
  }
}

/** The runtime does not report a lost device, so the device itself is asked. */
async function failure(device: GPUDevice | undefined, what: string, cause: unknown): Promise<unknown> {
  const error = runtimeError(what, cause);
  return device ? lossOr(device, error) : error;
}

/** The error if the runtime's own files could not be loaded, which it reports when it creates its first session. */
function notStarted(cause: unknown, provider: ExecutionProvider): MagnitudeEdgeError | undefined {
  const why = cause instanceof Error ? whyNotStarted(cause.message, buildFor(provider)) : undefined;
  if (why === undefined) return undefined;
  return new MagnitudeEdgeError('runtime', `onnxruntime-web could not be started: ${why}.`, { cause });
}
