import { inPieces, type ByteSource } from '../bytes/byte-source.ts';
import { CsvRows, encodingOf, refusal, type CsvRow } from './csv-rows.ts';
import { isGzip } from './gunzip.ts';

export type { CsvRow } from './csv-rows.ts';

/** Text is decoded in pieces of this many bytes: a file never becomes one string. */
const PIECE_BYTES = 1 << 20;
/** Of compressed text, which may become a thousand times as much. */
const PACKED_BYTES = 1 << 16;

/** A file of delimited text, open at its first row. */
export interface CsvFile {
  readonly delimiter: string;
  /** The rows in order, the header among them, to be gone through once; blank lines are left out. */
  readonly rows: Generator<CsvRow, void, undefined>;
}

/** Whether bytes may be delimited text, gzip-compressed or not. Text holds no zero bytes; everything else nearly always does. */
export function mayBeCsv(bytes: Uint8Array): boolean {
  return isGzip(bytes) || encodingOf(bytes) !== 'utf-8' || !bytes.subarray(0, 1024).includes(0);
}

/**
 * Opens delimited text in memory; see {@link CsvRows}.
 *
 * @param name what messages call the file
 * @param isColumn whether a cell of the header names a column that is looked for
 * @throws MagnitudeEdgeError `invalid-data`, also while the rows are gone through
 */
export function openCsv(
  bytes: Uint8Array,
  name: string,
  isColumn: (cell: string) => boolean = () => false,
): CsvFile {
  const reader = new CsvRows(name, isColumn);
  let at = 0;
  const next = (): CsvRow[] | undefined => {
    if (at > bytes.length) return undefined;
    const piece = bytes.subarray(at, at + PIECE_BYTES);
    // One step beyond the last piece is the end.
    at = piece.length === 0 ? bytes.length + 1 : at + piece.length;
    return piece.length === 0 ? reader.end() : reader.push(piece);
  };
  const first: CsvRow[] = [];
  while (reader.delimiter === undefined) first.push(...next()!);
  return {
    delimiter: reader.delimiter,
    rows: (function* () {
      yield* first;
      for (let rows = next(); rows !== undefined; rows = next()) yield* rows;
    })(),
  };
}

/** As {@link openCsv}, of a file that is not in memory: the rows of a piece after the other, with what separates cells. */
export async function* csvRowsFrom(
  source: ByteSource,
  name: string,
  isColumn: (cell: string) => boolean,
): AsyncGenerator<{ readonly rows: readonly CsvRow[]; readonly delimiter: string }, void, undefined> {
  const reader = new CsvRows(name, isColumn);
  const packed = isGzip(await source.read(0, Math.min(2, source.size)));
  for await (const piece of inPieces(source, packed ? PACKED_BYTES : PIECE_BYTES)) {
    const rows = reader.push(piece);
    if (rows.length > 0) yield { rows, delimiter: reader.delimiter! };
  }
  yield { rows: reader.end(), delimiter: reader.delimiter! };
}

/**
 * The rows after the header, whatever it is.
 * @throws MagnitudeEdgeError `invalid-data` for a row with another number of cells than the header
 */
export function* evenRows(
  rows: Iterable<CsvRow>,
  header: readonly string[],
  name: string,
): Generator<CsvRow, void, undefined> {
  for (const row of rows) {
    const { cells, line } = row;
    if (cells.length !== header.length)
      throw refusal(
        name,
        `${name}, line ${line}: ${cells.length} cell${cells.length === 1 ? '' : 's'}, but the header has ${header.length}`,
      );
    yield row;
  }
}
