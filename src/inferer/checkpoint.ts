import { xxhash32, xxhash32Text } from '../bytes/xxhash32.ts';
import type { Batch, DataFile } from '../data/batches.ts';
import { toRowMajor } from '../data/row-major.ts';
import { MagnitudeEdgeError } from '../errors.ts';
import type { BatchSizes } from '../model/batch-sizes.ts';
import type { InfererModel } from '../model/external-model.ts';
import type { ModelGraph } from '../model/graph.ts';
import { decodeStatistics, encodeStatistics } from '../table/statistics-file.ts';
import {
  checkSameOrigin,
  type ProgressFacts,
  type SavedStatistics,
  type StatisticsOrigin,
} from '../table/statistics-origin.ts';
import { version } from '../version.ts';
import type { CheckpointOptions } from './inferer-options.ts';
import type { FitSettings } from './fit-settings.ts';
import type { InfererStatistics, StatisticsState } from './inferer-statistics.ts';

/** A loader that knows its files and can skip batches, such as one of `batches`. */
interface SeekableLoader extends AsyncIterable<Batch> {
  from(batch: number): AsyncIterable<Batch>;
  files(): Promise<readonly DataFile[]>;
}

type Loader = Iterable<Batch> | AsyncIterable<Batch>;

/** The facts about a fit that its checkpoints must agree with. */
export interface CheckpointOf {
  readonly graph: ModelGraph;
  readonly origin: StatisticsOrigin;
  readonly layerPairs: number;
  /** By name; the strings are equal if the settings are */
  readonly settings: Readonly<Record<string, string>>;
}

/** The name of a checkpoint in messages */
const NAME = 'The checkpoint';

/**
 * The checkpoints of one fit: statistics files that also record its progress and what it holds in addition to the
 * statistics. A running hash identifies the samples; files that have not been modified since are not read again.
 */
export class FitCheckpoints {
  readonly #options: CheckpointOptions;
  readonly #of: CheckpointOf;
  readonly #files: readonly DataFile[];
  readonly #content: ContentHash;
  #batches = 0;
  #last = performance.now();

  private constructor(options: CheckpointOptions, of: CheckpointOf, files: readonly DataFile[]) {
    this.#options = options;
    this.#of = of;
    this.#files = files;
    this.#content = new ContentHash(of.graph);
  }

  static async open(options: CheckpointOptions, of: CheckpointOf, loader: Loader): Promise<FitCheckpoints> {
    const { seconds = 60 } = options;
    if (!(seconds >= 0)) {
      throw new MagnitudeEdgeError(
        'invalid-argument',
        `checkpoint.seconds must be a number of at least 0 and is ${String(seconds)}.`,
        { details: { option: 'checkpoint.seconds', found: seconds } },
      );
    }
    return new FitCheckpoints(options, of, isSeekable(loader) ? await loader.files() : []);
  }

  /** Batches in the statistics, of this run and earlier ones */
  get batches(): number {
    return this.#batches;
  }

  /**
   * The contents of the sink, if the fit is to resume from it.
   * @throws MagnitudeEdgeError `invalid-data` for bytes that are no checkpoint, or if the data have changed;
   * `graph-mismatch` for one of another graph or model, `invalid-argument` for one of other settings or another version
   */
  async read(): Promise<SavedStatistics | undefined> {
    if (this.#options.resume !== true) return undefined;
    const bytes = await this.#options.sink.read();
    if (bytes === undefined) return undefined;
    const saved = decodeStatistics(bytes, NAME);
    const facts = saved.progress?.facts;
    if (facts === undefined) {
      throw new MagnitudeEdgeError('invalid-data', `${NAME} is a statistics file, not a checkpoint.`);
    }
    this.#check(saved, facts);
    this.#batches = facts.batches;
    return saved;
  }

  /** The batches that are not in the statistics yet. @throws `invalid-data` if the earlier ones have changed */
  async *rest(loader: Loader, saved: SavedStatistics | undefined): AsyncGenerator<Batch, void, undefined> {
    const facts = saved?.progress?.facts;
    if (facts === undefined) {
      yield* loader;
      return;
    }
    if (isSeekable(loader) && sameFiles(facts.files, this.#files)) {
      this.#content.goOn(facts.content);
      yield* loader.from(facts.batches);
      return;
    }
    let passed = 0;
    for await (const batch of loader) {
      if (passed < facts.batches) {
        this.#content.add(batch);
        if (++passed === facts.batches) this.#checkContent(facts);
      } else yield batch;
    }
    if (passed < facts.batches) this.#checkContent(facts);
  }

  /** Records that a batch is in the statistics. Writes a checkpoint if one is due. */
  async note(batch: Batch, statistics: InfererStatistics): Promise<void> {
    this.#content.add(batch);
    this.#batches++;
    const { seconds = 60 } = this.#options;
    if (performance.now() - this.#last >= 1000 * seconds) await this.write(statistics);
  }

  /** Writes a checkpoint. */
  async write(statistics: InfererStatistics): Promise<void> {
    const { origin, settings } = this.#of;
    const { statistics: sums, uncertainty, channels } = await statistics.state();
    const facts: ProgressFacts = {
      version,
      batches: this.#batches,
      content: this.#content.value,
      files: this.#files,
      settings,
      uncertainty: uncertainty?.facts,
      channels: channels?.facts,
    };
    const arrays = new Map([...prefixed('u_', uncertainty?.arrays), ...prefixed('c_', channels?.arrays)]);
    await this.#options.sink.write(
      encodeStatistics({ statistics: sums, origin, progress: { facts, arrays } }),
    );
    // Count from the end of the write, so that a slow sink does not take up all the time.
    this.#last = performance.now();
  }

  #check({ origin, statistics }: SavedStatistics, facts: ProgressFacts): void {
    const refuse = (code: 'graph-mismatch' | 'invalid-argument', why: string): never => {
      throw new MagnitudeEdgeError(code, `${NAME} ${why}.`);
    };
    checkSameOrigin(this.#of.origin, origin, NAME);
    if (statistics.pairs.length !== this.#of.layerPairs)
      refuse(
        'graph-mismatch',
        `has ${statistics.pairs.length} layer pairs, but the model has ${this.#of.layerPairs}`,
      );
    if (facts.version !== version) {
      refuse(
        'invalid-argument',
        `was written by version ${facts.version}, but this is version ${version}: it can be scored and merged, but a fit cannot resume from it to identical bits`,
      );
    }
    for (const [name, wanted] of Object.entries(this.#of.settings)) {
      const found = facts.settings[name];
      // If a loader does not declare its batch size, the hash of the samples reveals another one.
      if (wanted === found || found === undefined) continue;
      if (name === 'model')
        refuse('graph-mismatch', 'is of another model: the graph is the same, but the weights differ');
      refuse('invalid-argument', `is of a fit with ${name} ${found}, but this one has ${wanted}`);
    }
    const [before, now] = [facts.files, this.#files];
    // If the loader names no files, the samples themselves are compared.
    if (before.length === 0 || now.length === 0) return;
    if (before.length !== now.length)
      throw changed(`${before.length} files were read, but now there are ${now.length}`);
    before.forEach(({ name, size }, k) => {
      if (size !== now[k]!.size)
        throw changed(`${name} had ${size} bytes, but ${now[k]!.name} has ${now[k]!.size}`);
    });
  }

  #checkContent({ batches, content }: ProgressFacts): void {
    if (this.#content.value !== content)
      throw changed(`the first ${batches} batches no longer hold the same samples`);
  }
}

function changed(why: string): MagnitudeEdgeError {
  return new MagnitudeEdgeError(
    'invalid-data',
    `The data have changed since the checkpoint was written: ${why}.`,
  );
}

/** Whether files are unmodified, so that they need not be read again. */
function sameFiles(before: readonly DataFile[], now: readonly DataFile[]): boolean {
  return (
    now.length > 0 &&
    now.every(({ name, size, modified }, k) => {
      const was = before[k];
      return modified !== undefined && was?.name === name && was.size === size && was.modified === modified;
    })
  );
}

function isSeekable(loader: Loader): loader is SeekableLoader {
  return 'from' in loader && typeof loader.from === 'function' && 'files' in loader;
}

/** A hash over the samples of batches, in order, and over where each batch ends. */
class ContentHash {
  readonly #graph: ModelGraph;
  #value = '00000000';

  constructor(graph: ModelGraph) {
    this.#graph = graph;
  }

  /** Eight hexadecimal digits */
  get value(): string {
    return this.#value;
  }

  goOn(value: string): void {
    this.#value = value;
  }

  add({ x, y, size, lossBatches }: Batch): void {
    const { input, output } = this.#graph.nodeNames;
    const sides = [toRowMajor(x, size, input.length, 'x'), toRowMajor(y, size, output.length, 'y')];
    const hashes = sides.map(({ buffer, byteOffset, byteLength }) =>
      xxhash32(new Uint8Array(buffer, byteOffset, byteLength)),
    );
    this.#value = xxhash32Text(JSON.stringify([this.#value, size, hashes, ...(lossBatches ?? [])]));
  }
}

const prefixed = <T>(prefix: string, arrays: ReadonlyMap<string, T> | undefined): [string, T][] =>
  Array.from(arrays ?? [], ([name, values]) => [prefix + name, values]);

/** The arrays whose names start with `prefix`, which is removed. */
function withoutPrefix<T>(prefix: string, arrays: ReadonlyMap<string, T>): Map<string, T> {
  return new Map(
    Array.from(arrays).flatMap(([name, values]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), values] as const] : [],
    ),
  );
}

/** The contents of a checkpoint, in the form that an inferer's statistics restore. */
export function stateOf({ statistics, progress }: SavedStatistics): StatisticsState {
  const { facts, arrays } = progress!;
  const { uncertainty, channels } = facts;
  return {
    statistics,
    uncertainty: uncertainty && { facts: uncertainty, arrays: withoutPrefix('u_', arrays) },
    channels: channels && { facts: channels, arrays: withoutPrefix('c_', arrays) },
  };
}

/** What checkpoints of a fit must agree with. */
export function checkpointOf(
  model: InfererModel,
  { choice, uncertainty, channels }: InfererStatistics,
  { loss, edgeMask }: FitSettings,
  origin: StatisticsOrigin,
  loader: Loader,
): CheckpointOf {
  const { engine } = choice;
  return {
    graph: model.graph,
    origin,
    layerPairs: engine.shape.pairs,
    settings: {
      model: model.fingerprint(),
      backend: engine.diagnostics.backend,
      'missing targets': loss.maskMissingTargets ? 'left out' : 'refused',
      'masked edges': edgeMask ? xxhash32(new Uint8Array(edgeMask.buffer)).toString(16) : 'none',
      uncertainty: uncertainty ? JSON.stringify(uncertainty.settings) : 'none',
      channels: channels ? JSON.stringify(channels.settings) : 'none',
      ...sizesOf(loader),
    },
  };
}

/** Sizes of batches, if the loader tells. */
function sizesOf(loader: Loader): Readonly<Record<string, string>> {
  const { batchSize, lossBatchSize = batchSize } = loader as Partial<BatchSizes>;
  if (batchSize === undefined) return {};
  const ofLoss = lossBatchSize === batchSize ? '' : ` (loss over ${lossBatchSize})`;
  return { 'batches of': `${batchSize}${ofLoss}` };
}

/** @throws MagnitudeEdgeError `invalid-argument` for a fit that cannot have checkpoints */
export function checkCanCheckpoint(reset: boolean, { choice }: InfererStatistics): void {
  const refuse = (why: string): never => {
    throw new MagnitudeEdgeError('invalid-argument', why, { details: { option: 'checkpoint' } });
  };
  if (!reset)
    refuse(
      'A fit with reset: false cannot write checkpoints: the statistics that it adds to did not come from its loader.',
    );
  const { shape, diagnostics } = choice.engine;
  if (diagnostics.tiled !== true) return;
  refuse(
    `A fit of ${shape.nodes} function nodes and ${shape.pairs} layer pairs cannot write checkpoints: it keeps the samples themselves, since their sums do not fit in memory.`,
  );
}
