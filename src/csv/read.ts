import { MagnitudeEdgeError } from '../errors.ts';
import { detectDialect, isBlankLine, type CsvDialect } from './dialect.ts';
import { gunzipPieces, isGzip } from './gunzip.ts';
import { CsvTokenizer } from './tokenizer.ts';

/** Text is decoded in pieces of this many bytes: a file never becomes one string. */
const PIECE_BYTES = 1 << 20;
/** Characters that are looked at for the delimiter, where there are so many: at least, and at most. */
const DETECT_CHARACTERS = 1 << 16;
const MOST_DETECT_CHARACTERS = 1 << 22;

export interface CsvRow {
  readonly cells: readonly string[];
  /** Where the row starts in the file, from 1 */
  readonly line: number;
}

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
 * Opens delimited text: comma, tab or semicolon (found out, or said by a first line `sep=;`), UTF-8 or UTF-16 with a byte
 * order mark, gzip-compressed or not.
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
  const pieces = decoded(bytes, name);
  let text = '';
  let whole = false;
  while (text.length < DETECT_CHARACTERS && !whole) {
    const next = pieces.next();
    if (next.done) whole = true;
    else text += next.value;
  }
  const beginning = text.slice(0, MOST_DETECT_CHARACTERS);
  const dialect = detectDialect(beginning, whole && text === beginning, name, isColumn);
  return { delimiter: dialect.delimiter, rows: rowsOf(text, pieces, dialect, name) };
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

function* rowsOf(
  first: string,
  further: Iterable<string>,
  { delimiter, skip }: CsvDialect,
  name: string,
): Generator<CsvRow, void, undefined> {
  let rows: CsvRow[] = [];
  const tokenizer = new CsvTokenizer(
    delimiter,
    (cells, line) => {
      if (!isBlankLine(cells)) rows.push({ cells, line });
    },
    skip > 0 ? 2 : 1,
  );
  const push = (text: string): CsvRow[] => {
    rows = [];
    try {
      tokenizer.push(text);
    } catch (cause) {
      throw refusal(name, `${name} is no table: it has ${(cause as Error).message}`, cause);
    }
    return rows;
  };
  yield* push(first.slice(skip));
  for (const piece of further) yield* push(piece);
  rows = [];
  if (!tokenizer.end()) throw refusal(name, `${name} ends inside a quoted cell`);
  yield* rows;
}

/** The text in pieces. */
function* decoded(bytes: Uint8Array, name: string): Generator<string, void, undefined> {
  const pieces = isGzip(bytes) ? unpacked(bytes, name) : split(bytes);
  let decoder: TextDecoder | undefined;
  const decode = (piece?: Uint8Array): string => {
    try {
      return piece ? decoder!.decode(piece, { stream: true }) : (decoder?.decode() ?? '');
    } catch (cause) {
      throw refusal(name, `${name} is not UTF-8 text; save it as UTF-8`, cause);
    }
  };
  for (const piece of pieces) {
    decoder ??= new TextDecoder(encodingOf(piece), { fatal: true });
    yield decode(piece);
  }
  yield decode();
}

function* split(bytes: Uint8Array): Generator<Uint8Array, void, undefined> {
  for (let start = 0; start < bytes.length; start += PIECE_BYTES)
    yield bytes.subarray(start, start + PIECE_BYTES);
}

function* unpacked(bytes: Uint8Array, name: string): Generator<Uint8Array, void, undefined> {
  try {
    for (const piece of gunzipPieces(bytes)) if (piece.length > 0) yield piece;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw refusal(name, `${name} is damaged gzip: ${why}`, cause);
  }
}

function encodingOf(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  return 'utf-8';
}

function refusal(name: string, sentence: string, cause?: unknown): MagnitudeEdgeError {
  return new MagnitudeEdgeError('invalid-data', `${sentence}.`, { details: { source: name }, cause });
}
