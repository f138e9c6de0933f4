import { limitThreads } from '../../available-threads.ts';
import type { Batch } from '../../data/batches.ts';
import { MagnitudeEdgeError } from '../../errors.ts';
import type {
  ChannelBlockOptions,
  EvaluateOptions,
  FitOptions,
  FitValuesOptions,
  InfererOptions,
  SelectOptions,
} from '../../inferer/inferer-options.ts';
import { MagnitudeEdgeInferer } from '../../inferer/inferer.ts';
import type { ChannelBatch, MagnitudeBatch } from '../../engine/engine.ts';
import type { RequestedSizes } from '../../model/batch-sizes.ts';
import { ExternalModel, type InfererModel } from '../../model/external-model.ts';
import type { LoadOptions } from '../../model/load-options.ts';
import type { LossSettings } from '../../model/loss-settings.ts';
import type { CustomLoss } from '../../training-graph/losses.ts';
import { arrowFilePieces } from '../../table/encode-batches.ts';
import { backendOf, chooseBackend, type ChosenBackend } from '../backend.ts';
import { BatchQueue } from './batch-queue.ts';
import type { Frame, OutgoingFrame } from './frames.ts';

/** The result of a call: a JSON object and binary parts. */
export type Reply = Pick<OutgoingFrame, 'parts'> & { readonly result: Readonly<Record<string, unknown>> };

interface OpenArguments {
  readonly load?: LoadOptions;
  readonly create?: InfererOptions;
  readonly profile?: Readonly<Record<string, unknown>>;
  readonly threads?: number | null;
}
interface FileArguments extends RequestedSizes {
  readonly name: string;
  readonly fit: FitOptions;
}
type Values = ChannelBatch | MagnitudeBatch;
type ValuesOptions = LossSettings &
  Pick<FitValuesOptions, 'reset' | 'channelsLater'> & { readonly custom?: string };
type SaveOptions = NonNullable<Parameters<MagnitudeEdgeInferer['saveStats']>[0]>;
interface PairArguments {
  readonly source: string;
  readonly target: string;
  /** For magnitudes */
  readonly samples?: number;
  /** For a channel block */
  readonly options?: ChannelBlockOptions;
}
interface ValuesArguments {
  readonly size: number;
  readonly kind: 'channels' | 'magnitudes';
}

/** Batches queued while the model runs. */
const QUEUE_CAPACITY = 2;

/** The one inferer of a serving process, and the calls that a host program may make. */
export class ServedInferer {
  #backend: ChosenBackend | undefined;
  #model: InfererModel | undefined;
  #inferer: MagnitudeEdgeInferer | undefined;
  #fit:
    | { readonly batches: BatchQueue<Batch | Values>; readonly samples: Promise<number>; error?: unknown }
    | undefined;
  #aborted = new AbortController();

  /** Aborts the running fit or scoring; later calls work again. */
  cancel(): void {
    this.#aborted.abort(new MagnitudeEdgeError('busy', 'The call was cancelled by its caller.'));
    this.#aborted = new AbortController();
    this.#fit?.batches.end();
  }

  /** @throws MagnitudeEdgeError as the library does, `invalid-argument` for an unknown call */
  async call(name: string, args: Readonly<Record<string, unknown>>, parts: Frame['parts']): Promise<Reply> {
    if (!Object.hasOwn(calls, name)) {
      throw new MagnitudeEdgeError('invalid-argument', `There is no call '${name}'.`);
    }
    return calls[name as keyof typeof calls](this, args, parts);
  }

  /**
   * Starts the model runtime while the host prepares a model.
   * @param threads as for `open`
   */
  async expectModel({
    channels,
    threads,
  }: Pick<OpenArguments, 'threads'> & { readonly channels: number }): Promise<Reply> {
    if (typeof threads === 'number') limitThreads(threads);
    void (await loadModelClass()).startRuntime(channels);
    return reply({});
  }

  /**
   * @param threads most threads to use; default: all available
   * @param parts the model's bytes; none for a model that the host runs itself, whose graph `profile` describes
   */
  async open(args: OpenArguments, [bytes]: Frame['parts']): Promise<Reply> {
    const { load = {}, create = {}, profile, threads } = args;
    await this.release();
    if (typeof threads === 'number') limitThreads(threads);
    const requested = create.backend ?? 'auto';
    this.#backend = await chooseBackend(requested);
    const { gpu } = this.#backend;
    if (bytes !== undefined) {
      const GsnnModel = await loadModelClass();
      this.#model = await GsnnModel.load(bytes, { ...load, ...(gpu ? { device: gpu.device } : {}) });
    } else if (profile !== undefined) {
      this.#model = ExternalModel.read(profile, load.name ?? 'The model');
    } else throw new MagnitudeEdgeError('invalid-argument', 'open needs a model or a profile.');
    // With 'auto' the engine may reject its device.
    const engineBackend = this.#backend.backend === 'cpu' ? 'cpu' : requested;
    this.#inferer = await MagnitudeEdgeInferer.create(this.#model, { ...create, backend: engineBackend });
    const { backend, reason } = backendOf(this.#inferer, this.#backend);
    const { graph, layers, norm } = this.#model;
    const { nodeNames, edgeIndex } = graph;
    return reply({ nodeNames, edgeIndex, layers, norm, backend, reason });
  }

  /** Runs a whole fit over the bytes of a data file. */
  async fitFile({ name, fit, ...sizes }: FileArguments, [bytes]: Frame['parts']): Promise<Reply> {
    const inferer = this.#opened();
    if (bytes === undefined) throw new MagnitudeEdgeError('invalid-argument', 'fitFile needs a file.');
    const { batches } = await import('../../data/batches.ts');
    const data = batches(bytes, inferer.model, { ...sizes, name });
    return reply({ samples: await inferer.fit(data, { ...fit, signal: this.#aborted.signal }) });
  }

  /** Begins a fit; batches follow through `batch`, and `endFit` waits for it. */
  startFit(options: FitOptions): Reply {
    const inferer = this.#opened();
    const { signal } = this.#aborted;
    return this.#start((queue) => inferer.fit(queue as BatchQueue<Batch>, { ...options, signal }));
  }

  /**
   * Begins a fit of values that the host computes; they follow through `values`, and `endFit` waits for it.
   * @param custom the name of the host's own loss, instead of `loss`
   */
  startValues({ custom, ...options }: ValuesOptions): Reply {
    const inferer = this.#opened();
    const loss = custom === undefined ? {} : { loss: namedLoss(custom) };
    const { signal } = this.#aborted;
    return this.#start((queue) =>
      inferer.fitValues(queue as BatchQueue<Values>, { ...options, ...loss, signal }),
    );
  }

  /** @param fitFrom fits the batches of a queue */
  #start(fitFrom: (batches: BatchQueue<Batch | Values>) => Promise<number>): Reply {
    if (this.#fit) throw new MagnitudeEdgeError('busy', 'A fit is already running.');
    const batches = new BatchQueue<Batch | Values>(QUEUE_CAPACITY);
    const samples = fitFrom(batches);
    const fit = { batches, samples, error: undefined as unknown };
    // Report a refused batch as early as possible: at the next batch.
    fit.samples.catch((error: unknown) => {
      fit.error = error;
      batches.end();
    });
    this.#fit = fit;
    const { keepsChannels, samples: before } = this.#opened();
    return reply({ channels: keepsChannels, samples: before });
  }

  /** @param parts x `[size, inputs]` and y `[size, outputs]`, float32 */
  async batch({ size }: { size: number }, [x, y]: Frame['parts']): Promise<Reply> {
    const fit = this.#running();
    if (x === undefined || y === undefined)
      throw new MagnitudeEdgeError('invalid-argument', 'batch needs x and y.');
    await fit.batches.push({ size, x: floats(x), y: floats(y) });
    if (fit.error !== undefined) return this.endFit();
    return reply({});
  }

  /**
   * @param kind `[size, channels]` values, or magnitudes `[size, nodes]`
   * @param parts float32: activations of blocks 0 .. L-2, then gradients of blocks 1 .. L-1
   * @returns whether the channel values of another batch would be kept
   */
  async values({ size, kind }: ValuesArguments, parts: Frame['parts']): Promise<Reply> {
    const fit = this.#running();
    const values = parts.map(floats);
    const [first, second] = [values.slice(0, values.length / 2), values.slice(values.length / 2)];
    await fit.batches.push(
      kind === 'magnitudes'
        ? { size, x: first, y: second, transferable: true }
        : { size, activations: first, gradients: second, transferable: true },
    );
    if (fit.error !== undefined) return this.endFit();
    return reply({ channels: this.#opened().keepsChannels });
  }

  /** Resolves to the number of samples held, once all batches have been accumulated. */
  async endFit(): Promise<Reply> {
    const { batches: queue, samples } = this.#running();
    queue.end();
    try {
      return reply({ samples: await samples });
    } finally {
      this.#fit = undefined;
    }
  }

  /** Channel values, in the form of `values`, of samples that were sent as magnitudes with `channelsLater`. */
  async channelValues({ size }: { size: number }, parts: Frame['parts']): Promise<Reply> {
    const half = parts.length / 2;
    const sides = { activations: parts.slice(0, half).map(floats), gradients: parts.slice(half).map(floats) };
    await this.#opened().addChannelValues({ size, ...sides });
    return reply({});
  }

  /** The edge table, as one Arrow file. */
  async evaluate(options: EvaluateOptions): Promise<Reply> {
    const table = await this.#opened().evaluate({ ...options, signal: this.#aborted.signal });
    return reply({ rows: table.numRows }, arrowFilePieces(table));
  }

  /** The edges of a selection, as one Arrow file. */
  async select(options: SelectOptions): Promise<Reply> {
    const table = await this.#opened().select({ ...options, signal: this.#aborted.signal });
    return reply({ rows: table.numRows }, arrowFilePieces(table));
  }

  /** Magnitudes of one pair, float32: of the source in each layer pair, then of the target. */
  async pairMagnitudes({ source, target, samples }: PairArguments): Promise<Reply> {
    const { x, y } = await this.#opened().pairMagnitudes(source, target, samples);
    return reply({ pairs: x.length }, ...[...x, ...y].map(({ buffer }) => new Uint8Array(buffer)));
  }

  /** The blocks behind a channel score, float64 `[sourceChannels, targetChannels]` each. */
  async channelBlock({ source, target, options }: PairArguments): Promise<Reply> {
    const blocks = await this.#opened().channelBlock(source, target, options);
    return reply(
      { blocks: blocks.map(({ sourceChannels, targetChannels }) => ({ sourceChannels, targetChannels })) },
      ...blocks.map(({ values }) => new Uint8Array(values.buffer as ArrayBuffer)),
    );
  }

  async saveStats(options: SaveOptions): Promise<Reply> {
    return reply({}, await this.#opened().saveStats(options));
  }

  async takeStats({ merge }: { merge: boolean }, [bytes]: Frame['parts']): Promise<Reply> {
    const inferer = this.#opened();
    if (bytes === undefined) throw new MagnitudeEdgeError('invalid-argument', 'takeStats needs a file.');
    await (merge ? inferer.mergeStats(bytes) : inferer.loadStats(bytes));
    return reply({ samples: inferer.samples });
  }

  resetStats(): Reply {
    this.#opened().resetStats();
    return reply({});
  }

  diagnostics(): Reply {
    const { diagnostics, samples } = this.#opened();
    return reply({ diagnostics, samples });
  }

  async release(): Promise<void> {
    this.cancel();
    await this.#inferer?.release();
    await this.#model?.release();
    this.#backend?.release();
    this.#inferer = this.#model = this.#backend = this.#fit = undefined;
  }

  #opened(): MagnitudeEdgeInferer {
    if (this.#inferer) return this.#inferer;
    throw new MagnitudeEdgeError('invalid-argument', 'There is no model yet: call open first.');
  }

  #running() {
    if (this.#fit) return this.#fit;
    throw new MagnitudeEdgeError('invalid-argument', 'No fit is running.');
  }
}

/** The calls that a host may make. The host checks options itself; the library checks them again. */
const calls = {
  expectModel: (served, args) => served.expectModel(args as { channels: number; threads?: number | null }),
  open: (served, args, parts) => served.open(args, parts),
  fitFile: (served, args, parts) => served.fitFile(args as unknown as FileArguments, parts),
  startFit: (served, args) => served.startFit(args),
  batch: (served, args, parts) => served.batch(args as { size: number }, parts),
  startValues: (served, args) => served.startValues(args),
  values: (served, args, parts) => served.values(args as unknown as ValuesArguments, parts),
  channelValues: (served, args, parts) => served.channelValues(args as { size: number }, parts),
  endFit: (served) => served.endFit(),
  evaluate: (served, args) => served.evaluate(args),
  select: (served, args) => served.select(args),
  pairMagnitudes: (served, args) => served.pairMagnitudes(args as unknown as PairArguments),
  channelBlock: (served, args) => served.channelBlock(args as unknown as PairArguments),
  saveStats: (served, args) => served.saveStats(args),
  takeStats: (served, args, parts) => served.takeStats(args as { merge: boolean }, parts),
  resetStats: (served) => served.resetStats(),
  diagnostics: (served) => served.diagnostics(),
} as const satisfies Record<
  string,
  (
    served: ServedInferer,
    args: Readonly<Record<string, unknown>>,
    parts: Frame['parts'],
  ) => Reply | Promise<Reply>
>;

/** The model runtime, loaded only if the host does not run models itself: it takes as long to load as all the rest. */
async function loadModelClass() {
  const [{ GsnnModel }, { startModelThread }] = await Promise.all([
    import('../../model/gsnn-model.ts'),
    import('../model-thread.ts'),
  ]);
  startModelThread();
  return GsnnModel;
}

function reply(result: Reply['result'], ...parts: Reply['parts']): Reply {
  return { result, parts };
}

/** A loss that the host differentiates; only its name is known here. */
function namedLoss(name: string): CustomLoss {
  const loss: CustomLoss = () => {
    throw new MagnitudeEdgeError(
      'invalid-argument',
      `The loss ${name} can only be computed by the host program.`,
    );
  };
  return Object.defineProperty(loss, 'name', { value: name });
}

/** Each part has its own buffer, so it is aligned. */
function floats(bytes: Uint8Array): Float32Array {
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / Float32Array.BYTES_PER_ELEMENT);
}
