import { MagnitudeEdgeError } from '../errors.ts';
import { describeAdapter, deviceLost, releaseDevice, type GpuContext } from '../gpu/device.ts';
import { decodeModel } from '../onnx/decode.ts';
import type { OnnxModel } from '../onnx/graph.ts';
import type { Loss, LossReduction } from '../training-graph/losses.ts';
import { findCpuOperators, leftToCpu, type CpuOperator } from './cpu-operators.ts';
import { chooseExecution, type ExecutionPlace } from './execution.ts';
import { edgeMaskValues, edgeNames, graphUnderMask, type NamedEdge } from './edge-mask.ts';
import { functionParents, type GsnnGraph, type ModelGraph } from './graph.ts';
import {
  buildGsnnTrainingGraph,
  graphKey,
  isSameKey,
  type GsnnTrainingGraph,
  type GsnnTrainingGraphOptions,
} from './gsnn-training-graph.ts';
import { batchSizes, regroups } from './batch-sizes.ts';
import { checkLoadOptions, type LoadOptions, type TrainingRequest } from './load-options.ts';
import { completeLoss, lossOf, type CompleteLoss } from './loss-settings.ts';
import { canRegroup } from './loss-batches.ts';
import { checkPostNorm, readProfile, type GsnnProfile } from './profile.ts';
import {
  createSession,
  isRuntimeOnOwnThread,
  runsOnGpu,
  runtimeThreads,
  startRuntime,
  startedForSmaller,
  type ExecutionProvider,
} from './runtime.ts';
import { readModel, type NamedModel } from './read-model.ts';
import type { BinarySource } from '../bytes/source.ts';
import { TrainingSession } from './training-session.ts';

/** What runs where, for people to read. */
export interface ModelDiagnostics {
  /** 'external' for a model whose values are computed elsewhere and passed to `fitValues` */
  readonly executionProvider: ExecutionProvider | 'external';
  /** The adapter that the model runs on; absent with 'wasm'. */
  readonly adapter?: string;
  /** Threads of the wasm provider: 1 if the page is not cross-origin isolated, or the model is small. */
  readonly threads: number;
  /** Why other places were not used: one sentence each. */
  readonly fallbacks: readonly string[];
  /**
   * With 'webgpu': operators of the latest training graph that the runtime leaves to the CPU, with copies between the
   * two; empty if the whole graph runs on the GPU. Absent until the first fit, or `trainingSession`, has built one.
   */
  readonly cpuOperators?: readonly CpuOperator[];
}

/**
 * Below this many channels a second thread cost more than it saved: on a quiet machine a fit of 24 nodes of 5 channels
 * took 103 ms on two threads and 74 ms on one. On busy cores one thread was better up to 60 nodes of 8 channels,
 * equally good at 120, and slower by half at 250.
 */
const SMALL_CHANNELS = 1000;

const keepsFewThreads =
  'The runtime was started for a smaller model and keeps its one thread; to give it more, call configureRuntime({ numThreads }) before loading the first model.';

/** Where a model runs, and what was requested. */
interface ChosenExecution {
  readonly place: ExecutionPlace;
  readonly requested: 'auto' | ExecutionProvider;
  /** Owned by the caller */
  readonly device: GPUDevice | undefined;
}

/** A training graph, and what it was built for. */
interface BuiltGraph {
  readonly key: readonly unknown[];
  readonly graph: GsnnTrainingGraph;
}

/** A GSNN loaded from ONNX profile v1, with the training graph that computes its activations and gradients. */
export class GsnnModel {
  readonly graph: ModelGraph;
  /** L, residual blocks */
  readonly layers: number;
  /** The norm that the blocks were trained with, as the exporter names it. */
  readonly norm: string;
  /** The function node of each channel; C entries. */
  readonly channelGroups: readonly number[];
  /** Name of the model in messages: its URL or file name. */
  readonly name: string;
  /** The loss of the gradients unless another one is requested. */
  readonly loss: Loss;
  readonly lossReduction: LossReduction;
  readonly outputWeights: readonly number[] | undefined;
  readonly maskMissingTargets: boolean;
  /**
   * Whether batches of its loss may be run in parts or several at once, see `batches`. False for a custom loss, for the
   * mean of a joint export, and for a file with a fixed number of samples.
   */
  readonly canRegroup: boolean;
  /**
   * The edges that can be masked, by the names of their nodes, in the order of the model's `edge_mask` input (including
   * the self edges that the model adds); empty if the model has no such input.
   */
  readonly maskableEdges: readonly NamedEdge[];
  /** Identifies a model by the contents of its files, weights included. */
  readonly fingerprint: () => string;
  readonly #model: OnnxModel;
  readonly #profile: GsnnProfile;
  readonly #requested: 'auto' | ExecutionProvider;
  readonly #lent: GPUDevice | undefined;
  #place: ExecutionPlace;
  #recovering: Promise<void> | undefined;
  /** The training graph of a fit with default settings, until its first session takes it. */
  #built: BuiltGraph | undefined;
  readonly #sessions: { readonly key: readonly unknown[]; readonly session: Promise<TrainingSession> }[] = [];
  #cpuOperators: readonly CpuOperator[] | undefined;
  #users = 0;
  #releasing: Promise<void> | undefined;
  #allUsersGone: (() => void) | undefined;

  private constructor(
    { name, model, fingerprint }: NamedModel,
    profile: GsnnProfile,
    loss: CompleteLoss,
    built: BuiltGraph,
    { place, requested, device }: ChosenExecution,
  ) {
    this.name = name;
    this.fingerprint = fingerprint;
    this.graph = { ...profile.graph, parents: functionParents(profile.graph) };
    this.layers = profile.layers;
    this.norm = profile.norm;
    this.channelGroups = profile.channelGroups;
    this.loss = loss.loss;
    this.lossReduction = loss.lossReduction;
    this.outputWeights = loss.outputWeights;
    this.maskMissingTargets = loss.maskMissingTargets;
    this.canRegroup = canRegroup(model, profile, loss);
    this.maskableEdges = (profile.edgeMask?.edges ?? []).map((edge) => edgeNames(edge, profile.graph));
    this.#requested = requested;
    this.#lent = device;
    this.#model = model;
    this.#profile = profile;
    this.#place = place;
    this.#built = built;
  }

  /** The device for further GPU work: the model's own, or the caller's; undefined if there is neither. */
  get device(): GPUDevice | undefined {
    return this.#place.gpu?.device ?? this.#lent;
  }

  get #isSmall(): boolean {
    return this.channelGroups.length < SMALL_CHANNELS;
  }

  /**
   * Starts the runtime in Node before a model with this many channels is there. Resolves when the start is under way.
   */
  static startRuntime(channels: number): Promise<void> {
    return startRuntime({ provider: 'wasm', small: channels < SMALL_CHANNELS });
  }

  get diagnostics(): ModelDiagnostics {
    const { provider, gpu, fallbacks } = this.#place;
    const onCpu = this.#cpuOperators;
    const sentences = [...fallbacks];
    if (onCpu?.length) sentences.push(leftToCpu(onCpu));
    if (startedForSmaller(provider, this.#isSmall)) sentences.push(keepsFewThreads);
    return {
      executionProvider: provider,
      ...(gpu ? { adapter: describeAdapter(gpu.adapterInfo) } : {}),
      threads: runtimeThreads(provider, this.#isSmall),
      fallbacks: sentences,
      ...(onCpu ? { cpuOperators: onCpu } : {}),
    };
  }

  /**
   * Reads and checks a model, builds its training graph and chooses where it runs. Nothing is computed yet.
   * @throws MagnitudeEdgeError `invalid-model`, `unsupported-model`, `unsupported-op`, `graph-mismatch` for models that
   * are refused; `no-adapter` if 'webgpu' is requested and not available
   */
  static async load(source: BinarySource, options: LoadOptions = {}): Promise<GsnnModel> {
    checkLoadOptions(options);
    const { signal } = options;
    const read = await readModel(source, options);
    const { model, name } = read;
    const profile = readProfile(model, name);
    const loss = completeLoss(options, lossOf(profile.joint));
    const { executionProvider: requested = 'auto', device } = options;
    // The runtime starts while the graph is built.
    if (isRuntimeOnOwnThread() && requested !== 'webgpu' && !device)
      await GsnnModel.startRuntime(profile.channelGroups.length);
    // Built here so that an operator without a gradient is refused before anything runs.
    const sizes = batchSizes(options.batches ?? {}, {
      canRegroup: canRegroup(model, profile, loss),
      channelGroups: profile.channelGroups,
    });
    const weighsSamples = loss.lossReduction === 'mean' && regroups(sizes);
    const settings = { ...loss, usePreNorm: true, weighsSamples };
    const graph = buildGsnnTrainingGraph(model, profile, settings);
    signal?.throwIfAborted();
    const place = await chooseExecution(requested, device);
    return new GsnnModel(
      read,
      profile,
      loss,
      { key: graphKey(settings), graph },
      { place, requested, device },
    );
  }

  /**
   * The training graph for a loss and a kind of values, ready to run; created at the first call and cached.
   * @throws MagnitudeEdgeError `unsupported-model` for post-norm values after a norm that erases magnitudes,
   * `unsupported-op`, `runtime`, `released`
   */
  trainingSession(request: TrainingRequest = {}): Promise<TrainingSession> {
    if (this.#releasing) throw this.#released();
    const { usePreNorm = true, weighsSamples = false, onGpu = false } = request;
    const graph = { ...completeLoss(request, this), usePreNorm, weighsSamples };
    if (!usePreNorm) checkPostNorm(this.norm);
    const key = [...graphKey(graph), onGpu];
    const known = this.#sessions.find((entry) => isSameKey(entry.key, key));
    if (known) return known.session;
    const entry = { key, session: this.#createSession(graph, onGpu) };
    this.#sessions.push(entry);
    entry.session.catch(() => {
      const at = this.#sessions.indexOf(entry);
      if (at >= 0) this.#sessions.splice(at, 1);
    });
    return entry.session;
  }

  /**
   * If the model's own device has been lost, chooses again where to run; otherwise does nothing.
   * `MagnitudeEdgeInferer.fit` calls it. Everything of the old device, including sessions, becomes unusable.
   * @throws MagnitudeEdgeError `device-lost` if the device was the caller's, who alone can replace it; `no-adapter` if
   * there is none any more
   */
  recover(): Promise<void> {
    const { gpu } = this.#place;
    if (gpu?.lostReason === undefined) return Promise.resolve();
    this.#recovering ??= this.#leaveDevice(gpu).finally(() => (this.#recovering = undefined));
    return this.#recovering;
  }

  async #leaveDevice(gpu: GpuContext): Promise<void> {
    if (!gpu.owned) throw deviceLost(gpu);
    const place = await chooseExecution(this.#requested);
    const sessions = this.#sessions.splice(0);
    this.#place = place;
    this.#cpuOperators = undefined;
    // The device is lost and nothing is left to free, so errors of the release do not matter.
    await Promise.allSettled(sessions.map(async ({ session }) => (await session).release()));
  }

  async #createSession(graph: GsnnTrainingGraphOptions, onGpu: boolean): Promise<TrainingSession> {
    const { bytes, signature } = this.#trainingGraph(graph);
    const { provider, gpu } = this.#place;
    const session = await createSession(bytes, {
      provider,
      device: gpu?.device,
      outputsOnGpu: onGpu ? [...signature.activations, ...signature.gradients] : [],
      small: this.#isSmall,
    });
    if (gpu) {
      this.#cpuOperators = session.allOnGpu
        ? []
        : await findCpuOperators(decodeModel(bytes), (file) => runsOnGpu(file, gpu.device));
    }
    return new TrainingSession(session, signature);
  }

  #trainingGraph(options: GsnnTrainingGraphOptions): GsnnTrainingGraph {
    const built = this.#built;
    if (built === undefined || !isSameKey(built.key, graphKey(options)))
      return buildGsnnTrainingGraph(this.#model, this.#profile, options);
    this.#built = undefined;
    return built.graph;
  }

  /**
   * The values of the `edge_mask` input that switch edges off: `[edges]`, owned by the caller.
   * @param masked names of source and target, as in `maskableEdges`; every edge between them is masked
   * @throws MagnitudeEdgeError `invalid-argument` for an edge that the model does not have, or if the model has no such
   * input
   */
  edgeMask(masked: Iterable<NamedEdge>): Float32Array {
    if (!this.#profile.edgeMask) {
      throw new MagnitudeEdgeError(
        'invalid-argument',
        `${this.name} has no edge_mask input, so its edges cannot be masked: export it with export_gsnn(..., edge_mask=True).`,
        { details: { source: this.name } },
      );
    }
    return edgeMaskValues(this.maskableEdges, masked);
  }

  /** A graph of the model's sizes (default: its own) without the edges that a mask switches off. */
  graphUnderMask(mask: Float32Array, graph: GsnnGraph = this.graph): GsnnGraph {
    return graphUnderMask(graph, this.#profile.edgeMask?.edges ?? [], mask);
  }

  /**
   * Keeps the model's sessions and device alive until the returned function is called. Inferers call it, so that
   * releasing the model first does not destroy the device they use.
   */
  retain(): () => void {
    if (this.#releasing) throw this.#released();
    this.#users++;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#users--;
      if (this.#users === 0) this.#allUsersGone?.();
    };
  }

  /**
   * Frees the sessions, and the device unless it is the caller's, as soon as no inferer uses them. New work is rejected
   * from now on. Idempotent.
   */
  release(): Promise<void> {
    this.#releasing ??= this.#free();
    return this.#users > 0 ? Promise.resolve() : this.#releasing;
  }

  async #free(): Promise<void> {
    if (this.#users > 0) {
      await new Promise<void>((resolve) => {
        this.#allUsersGone = resolve;
      });
    }
    const sessions = await Promise.allSettled(this.#sessions.map(({ session }) => session));
    for (const session of sessions) if (session.status === 'fulfilled') await session.value.release();
    if (this.#place.gpu) releaseDevice(this.#place.gpu);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  #released(): MagnitudeEdgeError {
    return new MagnitudeEdgeError('released', 'The model has been released and cannot be used any more.');
  }
}
