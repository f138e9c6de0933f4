import { RecordBatchFileWriter, Table, type RecordBatch } from 'apache-arrow';
import { csvHeader, csvRows, type CsvStyle } from './csv.ts';
import type { TableFormat, TextOptions } from './formats.ts';
import { ParquetPieces } from './parquet.ts';

/**
 * A table that comes in batches as the bytes of a file, piece by piece: no more of it is held than a batch. Each batch
 * is an Arrow record batch, or a Parquet row group, of the file.
 *
 * @param batches of one schema, at least one
 */
export async function* encodeBatches(
  batches: AsyncIterable<RecordBatch>,
  format: TableFormat,
  options: TextOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const encoder = encoders[format](options);
  for await (const batch of batches) yield* encoder.batch(batch);
  yield* encoder.end();
}

interface Encoder {
  batch(batch: RecordBatch): Iterable<Uint8Array>;
  end(): Iterable<Uint8Array>;
}

const encoders: Readonly<Record<TableFormat, (options: TextOptions) => Encoder>> = {
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
  parquet() {
    const pieces = new ParquetPieces();
    return {
      batch: (batch) => (batch.numRows === 0 && pieces.begun ? [] : [pieces.rowGroup(new Table([batch]))]),
      end: () => [pieces.end()],
    };
  },
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

/** A table as the pieces of an Arrow file, most of them its own memory: `tableToIPC` copies them into one array. */
export function arrowFilePieces(table: Table): Uint8Array[] {
  const writer = new PiecewiseWriter();
  for (const batch of table.batches) writer.write(batch);
  writer.finish();
  return writer.pieces;
}

/** Arrow's own writer gives its bytes to a queue that only promises can empty; this one keeps them at hand. */
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
