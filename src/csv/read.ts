import { inPieces, type ByteSource } from '../bytes/byte-source.ts';
import { CsvRows, encodingOf, refusal, type CsvRow } from './csv-rows.ts';
import { isGzip } from './gunzip.ts';

export type { CsvRow } from './csv-rows.ts';

/** Text is decoded in pieces of this many bytes: a file never becomes one string. */
const PIECE_BYTES = 1 << 20;
/** The same for compressed text, which may expand a thousandfold. */
const PACKED_BYTES = 1 << 16;

/** A file of delimited text, open at its first row. */
export interface CsvFile {
  readonly delimiter: string;
  /** The rows in order, including the header; can be iterated once. Blank lines are left out. */
  readonly rows: Generator<CsvRow, void, undefined>;
}

/** Whether bytes may be delimited text, gzip-compressed or not. Text holds no zero bytes; everything else nearly always does. */
export function mayBeCsv(bytes: Uint8Array): boolean {
  return isGzip(bytes) || encodingOf(bytes) !== 'utf-8' || !bytes.subarray(0, 1024).includes(0);
}

/**
 * Opens delimited text in memory; see {@link CsvRows}.
 *
 * @param name the file's name in error messages
 * @param isColumn whether a header cell names a wanted column
 * @throws MagnitudeEdgeError `invalid-data`, also while the rows are iterated
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
    // The step after the last piece ends the text.
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

/** Like {@link openCsv}, for a file that is not in memory: yields rows piece by piece, with the delimiter. */
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
 * Passes on the rows after the header, checking their number of cells.
 * @throws MagnitudeEdgeError `invalid-data` for a row whose number of cells differs from the header's
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
