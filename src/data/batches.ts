import type { ByteSource } from '../bytes/byte-source.ts';
import { openSource, type OpenedSource } from '../bytes/open-source.ts';
import { isBinarySource, type BinarySource } from '../bytes/source.ts';
import { checkMemoryBudget, MemoryBudget } from '../columns/memory-budget.ts';
import { isColumnarTable, TableInMemory, type ColumnarTable } from '../columns/table-in-memory.ts';
import { mayBeCsv } from '../csv/read.ts';
import { MagnitudeEdgeError } from '../errors.ts';
import { batchSizes, type BatchSizes, type RequestedSizes, type SizedModel } from '../model/batch-sizes.ts';
import type { GsnnGraph } from '../model/graph.ts';
import { openArrowSamples } from './arrow.ts';
import type { Batch } from './batch.ts';
import { openColumnFile } from './columns.ts';
import { openCsvSamples } from './csv.ts';
import { Grouping } from './grouping.ts';
import { withoutRows, type Matrix, type Samples } from './matrix.ts';
import { openNpz } from './npz.ts';
import { openParquetSamples } from './parquet.ts';
import { checkShapes, type OpenFormat, type OpenSamples, type Reading } from './reading.ts';
import { rebatch } from './rebatch.ts';
import { toRowMajor, type RowMajorValues } from './row-major.ts';

export type { Batch } from './batch.ts';

/** All samples at once, as plain arrays. */
export interface PlainArrays {
  /** `[samples, inputs]` */
  readonly x: RowMajorValues;
  /** `[samples, outputs]` */
  readonly y: RowMajorValues;
}

export interface BatchesOptions extends RequestedSizes {
  /** Name in error messages, or one name per source. Default: the source's URL or file name. */
  readonly name?: string | readonly string[];
  /**
   * Treats null, an empty cell, NA or NaN as a missing target, which is NaN in the batches; inputs are never missing.
   * Default: what the model was loaded with.
   */
  readonly maskMissingTargets?: boolean;
  /**
   * Memory for reading a source, in bytes: the size that a file claims for its next rows is checked against it before
   * they are decompressed. Default 2 GiB.
   */
  readonly memoryBudget?: number;
  readonly signal?: AbortSignal;
}

/** Identifies the state of a source when its batches were read, to tell whether it has changed since. */
export interface DataFile {
  readonly name: string;
  /** Bytes */
  readonly size: number;
  /** Last modification, in milliseconds since 1970, if the system or the server reports it */
  readonly modified?: number | undefined;
}

/**
 * Batches that can be iterated more than once. Files are read on demand, at most a row group at a time; small data are
 * kept in memory for the next iteration.
 */
export interface Batches extends AsyncIterable<Batch>, BatchSizes {
  /** The number of batches, if known; for text, only after it has been read. */
  readonly length?: number | undefined;
  /**
   * The batches from `batch` on, skipping those before as fast as the format allows.
   * @param batch number of the first batch, from 0
   */
  from(batch: number): AsyncIterable<Batch>;
  /** The files behind the batches, opening them if necessary; empty if there are none. */
  files(): Promise<readonly DataFile[]>;
}

/** What is read of a model. */
export interface BatchedModel extends SizedModel {
  readonly graph: GsnnGraph;
  readonly maskMissingTargets?: boolean;
}

/** A source of samples: the bytes or the location of a file, an Arrow table, or plain arrays. */
export type SampleSource = BinarySource | ColumnarTable | PlainArrays;

/**
 * Batches for {@link MagnitudeEdgeInferer.fit} from common sources. File formats are recognised by their first bytes:
 * `.npz` with arrays x and y (by position, or by the names in arrays x_names and y_names); Arrow IPC, Parquet or CSV
 * with a column per input and output node, in any order.
 * @param source a source, or several that are read in this order as if they were one
 * @param model model whose graph defines the column names and sizes
 * @throws MagnitudeEdgeError `invalid-argument` immediately; while iterating `invalid-data` for a file that cannot be
 * read, `batch-mismatch` for columns or sizes that disagree with the model, `out-of-memory` for rows beyond the budget
 */
export function batches(
  source: SampleSource | readonly SampleSource[],
  model: BatchedModel,
  options: BatchesOptions = {},
): Batches {
  const { memoryBudget, name = [] } = options;
  const grouping = new Grouping(batchSizes(options, model));
  checkMemoryBudget(memoryBudget);
  const names = typeof name === 'string' ? [name] : name;
  const sources = Array.isArray(source) ? (source as readonly SampleSource[]) : [source as SampleSource];
  const { graph } = model;
  const missingTargets = options.maskMissingTargets ?? model.maskMissingTargets ?? false;
  const parts = sources.map((one, index) => {
    const settings = { graph, missingTargets, memoryBudget, signal: options.signal };
    return new SourceReader(one, names[index], settings);
  });
  return new SampleBatches(parts, grouping, graph);
}

/** Samples of at most this many bytes in all are kept in memory for the next iteration. */
const KEPT_BYTES = 2 ** 28;

class SampleBatches implements Batches {
  readonly #sources: readonly SourceReader[];
  readonly #grouping: Grouping;
  readonly #graph: GsnnGraph;
  #kept: readonly Samples[] | undefined;

  constructor(sources: readonly SourceReader[], grouping: Grouping, graph: GsnnGraph) {
    this.#sources = sources;
    this.#grouping = grouping;
    this.#graph = graph;
  }

  get batchSize(): number {
    return this.#grouping.batchSize;
  }

  get lossBatchSize(): number {
    return this.#grouping.lossBatchSize;
  }

  get length(): number | undefined {
    let samples = 0;
    for (const { rows } of this.#sources) {
      if (rows === undefined) return undefined;
      samples += rows;
    }
    return this.#grouping.count(samples);
  }

  async files(): Promise<readonly DataFile[]> {
    const files: DataFile[] = [];
    for (const source of this.#sources) {
      const file = await source.file();
      if (file) files.push(file);
    }
    return files;
  }

  [Symbol.asyncIterator](): AsyncGenerator<Batch, void, undefined> {
    return this.from(0);
  }

  async *from(batch: number): AsyncGenerator<Batch, void, undefined> {
    const { input, output } = this.#graph.nodeNames;
    const widths = { inputs: input.length, outputs: output.length };
    const first = this.#grouping.place(batch);
    let passed = first.batches;
    for await (const block of rebatch(this.#blocks(first.samples), this.#grouping.blockSize, widths)) {
      yield* this.#grouping.divide(block).slice(passed);
      passed = 0;
    }
  }

  /** Bytes of all samples, as far as the sources' row counts are known: a lower bound. */
  #leastBytes(): number {
    const { input, output } = this.#graph.nodeNames;
    const rows = this.#sources.reduce((sum, source) => sum + (source.rows ?? 0), 0);
    return 4 * rows * (input.length + output.length);
  }

  async *#blocks(first: number): AsyncGenerator<Samples, void, undefined> {
    const before = { samples: first };
    if (this.#kept) {
      yield* passOver(this.#kept, before);
      return;
    }
    let kept: Samples[] | undefined = first === 0 ? [] : undefined;
    let read = 0;
    for (const source of this.#sources) {
      for await (const block of passOver(source.blocks(before), before)) {
        read += block.x.values.byteLength + block.y.values.byteLength;
        if (Math.max(read, this.#leastBytes()) > KEPT_BYTES) kept = undefined;
        kept?.push(block);
        yield block;
      }
    }
    this.#kept = kept;
  }
}

/** Number of samples still to be skipped. */
interface Before {
  samples: number;
}

/** Blocks without the samples to be skipped. */
async function* passOver(
  blocks: Iterable<Samples> | AsyncIterable<Samples>,
  before: Before,
): AsyncGenerator<Samples, void, undefined> {
  for await (const block of blocks) {
    const { rows } = block.x;
    const passed = Math.min(before.samples, rows);
    before.samples -= passed;
    if (passed < rows) yield withoutRows(block, passed);
  }
}

interface SourceSettings {
  readonly graph: GsnnGraph;
  readonly missingTargets: boolean;
  readonly memoryBudget: number | undefined;
  readonly signal: AbortSignal | undefined;
}

/** One source, opened again for every iteration. */
class SourceReader {
  readonly #source: SampleSource;
  readonly #requestedName: string | undefined;
  readonly #settings: SourceSettings;
  /** A source that had to be read as a whole, so as not to read it again */
  #whole: OpenedSource | undefined;
  #rows: number | undefined;

  /** @param requestedName name in error messages, if not the source's own */
  constructor(source: SampleSource, requestedName: string | undefined, settings: SourceSettings) {
    this.#source = source;
    this.#requestedName = requestedName;
    this.#settings = settings;
    if (isColumnarTable(source)) this.#rows = source.numRows;
    else if (!isBinarySource(source)) this.#rows = rowCount(source.x, settings.graph.nodeNames.input.length);
  }

  /** Number of samples n, if known */
  get rows(): number | undefined {
    return this.#rows;
  }

  /** The file behind the source; undefined for a table or arrays. */
  async file(): Promise<DataFile | undefined> {
    if (isColumnarTable(this.#source) || !isBinarySource(this.#source)) return undefined;
    const { source, name, modified } = await this.#open(this.#source);
    await source.close();
    return { name, size: source.size, ...(modified === undefined ? {} : { modified }) };
  }

  /** The samples, block by block. Those to be skipped are left out if their position is known. */
  async *blocks(before: Before): AsyncGenerator<Samples, void, undefined> {
    const source = this.#source;
    const name = this.#requestedName ?? 'the data';
    if (isColumnarTable(source)) {
      yield* this.#from(openColumnFile(new TableInMemory(source, name), this.#reading(name)), before);
    } else if (!isBinarySource(source)) {
      yield readPlainArrays(source, this.#reading(name));
    } else {
      const opened = await this.#open(source);
      try {
        const open = await formatOf(opened.source);
        if (!open) {
          throw new MagnitudeEdgeError(
            'invalid-data',
            `${opened.name} is in an unknown format: .npz, Arrow IPC, Parquet or CSV was expected.`,
            { details: { source: opened.name } },
          );
        }
        const reading = this.#reading(opened.name);
        yield* this.#from(await open(opened.source, reading), before);
      } finally {
        await opened.source.close();
      }
    }
  }

  async *#from(samples: OpenSamples, before: Before): AsyncGenerator<Samples, void, undefined> {
    let { rows } = samples;
    this.#rows ??= rows;
    const passed = Math.min(before.samples, rows ?? 0);
    before.samples -= passed;
    if (rows !== undefined && passed === rows) return;
    rows = passed;
    for await (const block of samples.blocks(passed)) {
      rows += block.x.rows;
      yield block;
      this.#settings.signal?.throwIfAborted();
    }
    this.#rows = rows;
  }

  async #open(source: BinarySource): Promise<OpenedSource> {
    if (this.#whole) return this.#whole;
    const opened = await openSource(source, {
      name: this.#requestedName,
      fallbackName: 'the data',
      code: 'invalid-data',
      signal: this.#settings.signal,
      onWhole: (bytes, name, isWholeSize) => {
        const part = isWholeSize ? 'all of it' : 'what has arrived of it so far';
        const what = `${part}, since it cannot be read in ranges,`;
        new MemoryBudget(this.#settings.memoryBudget).take(bytes, what, name);
      },
    });
    if (opened.whole === true) this.#whole = opened;
    return opened;
  }

  #reading(name: string): Reading {
    const { graph, missingTargets, memoryBudget } = this.#settings;
    return { graph, name, missingTargets, budget: new MemoryBudget(memoryBudget) };
  }
}

/** The reader for a file, by its first bytes. */
async function formatOf(source: ByteSource): Promise<OpenFormat | undefined> {
  const bytes = await source.read(0, Math.min(1024, source.size));
  const startsWith = (...magic: number[]): boolean => magic.every((byte, index) => bytes[index] === byte);
  if (startsWith(0x50, 0x4b)) return openNpz;
  if (startsWith(...new TextEncoder().encode('ARROW1')) || startsWith(0xff, 0xff, 0xff, 0xff))
    return openArrowSamples;
  if (startsWith(...new TextEncoder().encode('PAR1'))) return openParquetSamples;
  return mayBeCsv(bytes) ? openCsvSamples : undefined;
}

function rowCount(values: RowMajorValues, columns: number): number {
  return ArrayBuffer.isView(values) ? Math.ceil(values.length / Math.max(columns, 1)) : values.length;
}

function readPlainArrays({ x, y }: PlainArrays, reading: Reading): Samples {
  const matrix = (values: RowMajorValues, columns: number, what: string): Matrix => {
    const rows = rowCount(values, columns);
    return { rows, columns, values: toRowMajor(values, rows, columns, `${reading.name}, ${what}`) };
  };
  const { input, output } = reading.graph.nodeNames;
  const samples = { x: matrix(x, input.length, 'x'), y: matrix(y, output.length, 'y') };
  checkShapes(samples, reading);
  return samples;
}
