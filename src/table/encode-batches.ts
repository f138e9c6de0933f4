import { RecordBatchFileWriter, Table, type RecordBatch } from 'apache-arrow';
import {
  encodeRowGroup,
  type EncodedRowGroup,
  type RowGroup,
  type WrittenField,
} from '../columns/parquet-writer.ts';
import { nextTurn } from '../statistics/yielder.ts';
import { csvHeader, csvRows, type CsvStyle } from './csv.ts';
import type { TableFormat, TextOptions } from './formats.ts';
import { ParquetPieces } from './parquet.ts';

/** Encodes Parquet row groups. */
export interface RowGroupEncoder {
  /** Most row groups being encoded at a time */
  readonly maxInFlight: number;
  encode(fields: readonly WrittenField[], group: RowGroup): Promise<EncodedRowGroup>;
}

/**
 * Encodes a table that arrives in batches as the bytes of a file, piece by piece; holds no more than one batch. Each
 * batch becomes an Arrow record batch, or a Parquet row group, of the file.
 *
 * @param batches at least one, all of one schema
 */
export function encodeBatches(
  batches: AsyncIterable<RecordBatch>,
  format: TableFormat,
  options: TextOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  return encodeBatchesWith(onThisThread, batches, format, options);
}

/** The same file, with Parquet row groups encoded by `rowGroups`; holds as many batches as that encodes at a time. */
export async function* encodeBatchesWith(
  rowGroups: RowGroupEncoder,
  batches: AsyncIterable<RecordBatch>,
  format: TableFormat,
  options: TextOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  if (format === 'parquet') {
    yield* encodeParquet(batches, rowGroups);
    return;
  }
  const encoder = encoders[format](options);
  for await (const batch of batches) yield* encoder.batch(batch);
  yield* encoder.end();
}

async function* encodeParquet(
  batches: AsyncIterable<RecordBatch>,
  encoder: RowGroupEncoder,
): AsyncGenerator<Uint8Array, void, undefined> {
  let file: ParquetPieces | undefined;
  const underWay: Promise<EncodedRowGroup>[] = [];
  for await (const batch of batches) {
    if (batch.numRows === 0 && file !== undefined) continue;
    file ??= new ParquetPieces(batch.schema);
    const encoded = encoder.encode(file.fields, file.rowGroup(new Table([batch])));
    // It is awaited later; until then its rejection must not count as unhandled.
    encoded.catch(() => undefined);
    underWay.push(encoded);
    if (underWay.length > encoder.maxInFlight) yield* file.add(await underWay.shift()!);
    // Lets replies from other threads arrive.
    if (encoder.maxInFlight > 0) await nextTurn();
  }
  for (const encoded of underWay) yield* file!.add(await encoded);
  yield* file!.end();
}

export const onThisThread: RowGroupEncoder = {
  maxInFlight: 0,
  encode: (fields, group) => Promise.resolve(encodeRowGroup(fields, group)),
};

interface Encoder {
  batch(batch: RecordBatch): Iterable<Uint8Array>;
  end(): Iterable<Uint8Array>;
}

const encoders: Readonly<Record<Exclude<TableFormat, 'parquet'>, (options: TextOptions) => Encoder>> = {
  arrow() {
    const writer = new PiecewiseWriter();
    return {
      batch: (batch) => {
        writer.write(batch);
        return writer.pieces.splice(0);
      },
      end: () => {
        writer.finish();
        return writer.pieces.splice(0);
      },
    };
  },
  csv: (options) => textEncoder({ ...options, delimiter: ',' }),
  tsv: (options) => textEncoder({ ...options, delimiter: '\t' }),
};

function textEncoder(style: CsvStyle): Encoder {
  let begun = false;
  return {
    *batch(batch) {
      const table = new Table([batch]);
      if (!begun) yield csvHeader(table, style);
      begun = true;
      yield* csvRows(table, style);
    },
    end: () => [],
  };
}

/**
 * A table as the pieces of an Arrow file, most of them views of its memory; `tableToIPC` copies them into one array.
 */
export function arrowFilePieces(table: Table): Uint8Array[] {
  const writer = new PiecewiseWriter();
  for (const batch of table.batches) writer.write(batch);
  writer.finish();
  return writer.pieces;
}

/** Arrow's own writer puts its bytes into a queue that only promises can empty; this one collects them in an array. */
export class PiecewiseWriter extends RecordBatchFileWriter {
  readonly pieces: Uint8Array[] = [];

  protected override _write(chunk: ArrayBufferView): this {
    if (this._started && chunk.byteLength > 0) {
      this.pieces.push(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
      this._position += chunk.byteLength;
    }
    return this;
  }
}
