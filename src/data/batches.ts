import { checkMemoryBudget, MemoryBudget } from '../columns/memory-budget.ts';
import { isColumnarTable, TableInMemory, type ColumnarTable } from '../columns/table-in-memory.ts';
import { mayBeCsv } from '../csv/read.ts';
import { MagnitudeEdgeError } from '../errors.ts';
import type { GsnnGraph } from '../model/graph.ts';
import { isBinarySource, readSource, type BinarySource } from '../model/source.ts';
import { readArrow } from './arrow.ts';
import { readColumnFile } from './columns.ts';
import { readCsv } from './csv.ts';
import type { Matrix, Samples } from './matrix.ts';
import { readNpz } from './npz.ts';
import { readParquet } from './parquet.ts';
import { checkShapes, type Reading, type ReadSamples } from './reading.ts';
import { toRowMajor, type RowMajorValues } from './row-major.ts';

/** Samples that go through the model together. */
export interface Batch {
  /** Inputs, `[size, inputs]`: row-major, or a list of rows */
  readonly x: RowMajorValues;
  /** Targets, `[size, outputs]`: row-major, or a list of rows */
  readonly y: RowMajorValues;
  /** B, samples in the batch */
  readonly size: number;
}

/** All samples at once, as plain arrays. */
export interface PlainArrays {
  /** `[samples, inputs]` */
  readonly x: RowMajorValues;
  /** `[samples, outputs]` */
  readonly y: RowMajorValues;
}

export interface BatchesOptions {
  /** Samples in a batch; the last batch holds the rest. Default 128. */
  readonly batchSize?: number;
  /** What messages call the source. Default: its URL or file name. */
  readonly name?: string;
  /**
   * Takes null, an empty cell, NA or NaN for a missing target, which is NaN in the batches; inputs are never missing.
   * Default: what the model was loaded with.
   */
  readonly maskMissingTargets?: boolean;
  /**
   * Bytes of memory that reading the source may take: what a file claims to unpack to is compared with it before anything
   * is unpacked. Default 2 GiB.
   */
  readonly memoryBudget?: number;
  readonly signal?: AbortSignal;
}

/** Batches that can be gone through more than once; the source is read at the first time. */
export interface Batches extends AsyncIterable<Batch> {
  /** The number of batches; of a file, once it has been read. */
  readonly length?: number | undefined;
}

/**
 * Batches for {@link MagnitudeEdgeInferer.fit} from what people have. Files are told apart by their first bytes:
 * `.npz` with arrays x and y (by position, or by the names in arrays x_names and y_names); Arrow IPC, Parquet or CSV with a
 * column per input and output node, in any order.
 * @param source the bytes of a file or where they are, an Arrow table, or plain arrays
 * @param model whose graph names the columns and gives the sizes
 * @throws MagnitudeEdgeError `invalid-argument` at once; while iterating `invalid-data` for a file that cannot be read,
 * `batch-mismatch` for columns or sizes that disagree with the model, `out-of-memory` for a file beyond the budget
 */
export function batches(
  source: BinarySource | ColumnarTable | PlainArrays,
  model: { readonly graph: GsnnGraph; readonly maskMissingTargets?: boolean },
  options: BatchesOptions = {},
): Batches {
  const { batchSize = 128, name, signal, memoryBudget } = options;
  if (!Number.isSafeInteger(batchSize) || batchSize < 1) {
    throw new MagnitudeEdgeError(
      'invalid-argument',
      `batchSize is ${String(batchSize)}, a whole number of at least 1 was expected.`,
    );
  }
  checkMemoryBudget(memoryBudget);
  const read = (): Promise<Samples> =>
    readSamples(
      source,
      {
        graph: model.graph,
        name: name ?? 'the data',
        budget: new MemoryBudget(memoryBudget),
        missingTargets: options.maskMissingTargets ?? model.maskMissingTargets ?? false,
      },
      name,
      signal,
    );
  return new SampleBatches(batchSize, read, rowsInMemory(source, model.graph));
}

class SampleBatches implements Batches {
  readonly #batchSize: number;
  readonly #read: () => Promise<Samples>;
  #reading: Promise<Samples> | undefined;
  #rows: number | undefined;

  constructor(batchSize: number, read: () => Promise<Samples>, rows: number | undefined) {
    this.#batchSize = batchSize;
    this.#read = read;
    this.#rows = rows;
  }

  get length(): number | undefined {
    return this.#rows === undefined ? undefined : Math.ceil(this.#rows / this.#batchSize);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Batch, void, undefined> {
    this.#reading ??= this.#read();
    let samples: Samples;
    try {
      samples = await this.#reading;
    } catch (error) {
      this.#reading = undefined;
      throw error;
    }
    const { x, y } = samples;
    this.#rows = x.rows;
    for (let start = 0; start < x.rows; start += this.#batchSize) {
      const end = Math.min(start + this.#batchSize, x.rows);
      yield { x: rowsOf(x, start, end), y: rowsOf(y, start, end), size: end - start };
    }
  }
}

function rowsOf({ values, columns }: Matrix, start: number, end: number): Float32Array {
  return values.subarray(start * columns, end * columns);
}

/** The number of samples of a source that need not be read first. */
function rowsInMemory(
  source: BinarySource | ColumnarTable | PlainArrays,
  graph: GsnnGraph,
): number | undefined {
  if (isColumnarTable(source)) return source.numRows;
  if (isBinarySource(source)) return undefined;
  return rowCount(source.x, graph.nodeNames.input.length);
}

function rowCount(values: RowMajorValues, columns: number): number {
  return ArrayBuffer.isView(values) ? Math.ceil(values.length / Math.max(columns, 1)) : values.length;
}

async function readSamples(
  source: BinarySource | ColumnarTable | PlainArrays,
  unnamed: Reading,
  wishedName: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Samples> {
  if (isColumnarTable(source)) return readColumnFile(new TableInMemory(source, unnamed.name), unnamed);
  if (!isBinarySource(source)) return readPlainArrays(source, unnamed);
  const { bytes, name } = await readSource(source, {
    name: wishedName,
    fallbackName: unnamed.name,
    code: 'invalid-data',
    signal,
  });
  const read = formatOf(bytes);
  if (!read) {
    throw new MagnitudeEdgeError(
      'invalid-data',
      `${name} is none of the formats that can be read: .npz, Arrow IPC, Parquet, CSV.`,
      { details: { source: name } },
    );
  }
  const reading = { ...unnamed, name };
  const samples = await read(bytes, reading);
  checkShapes(samples, reading);
  return samples;
}

/** The reader for a file, by its first bytes. */
function formatOf(bytes: Uint8Array): ReadSamples | undefined {
  const startsWith = (...magic: number[]): boolean => magic.every((byte, index) => bytes[index] === byte);
  if (startsWith(0x50, 0x4b)) return readNpz;
  if (startsWith(...new TextEncoder().encode('ARROW1')) || startsWith(0xff, 0xff, 0xff, 0xff))
    return readArrow;
  if (startsWith(...new TextEncoder().encode('PAR1'))) return readParquet;
  return mayBeCsv(bytes) ? readCsv : undefined;
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
