import { MagnitudeEdgeError } from '../errors.ts';
import { detectDialect, isBlankLine, type CsvDialect } from './dialect.ts';
import { GzipReader, isGzip } from './gunzip.ts';
import { CsvTokenizer } from './tokenizer.ts';

/** Characters that are looked at for the delimiter, where there are so many: at least, and at most. */
const DETECT_CHARACTERS = 1 << 16;
const MOST_DETECT_CHARACTERS = 1 << 22;

export interface CsvRow {
  readonly cells: readonly string[];
  /** Where the row starts in the file, from 1 */
  readonly line: number;
}

/**
 * Bytes of delimited text, pushed piece by piece, to rows: comma, tab or semicolon (found out, or said by a first line
 * `sep=;`), UTF-8 or UTF-16 with a byte order mark, gzip-compressed or not. Blank lines are left out.
 */
export class CsvRows {
  readonly #name: string;
  readonly #isColumn: (cell: string) => boolean;
  #gzip: GzipReader | undefined;
  #decoder: TextDecoder | undefined;
  #begun = false;
  /** Text from before the delimiter is known */
  #beginning = '';
  #dialect: CsvDialect | undefined;
  #tokenizer: CsvTokenizer | undefined;
  #rows: CsvRow[] = [];

  /**
   * @param name what messages call the file
   * @param isColumn whether a cell of the header names a column that is looked for
   */
  constructor(name: string, isColumn: (cell: string) => boolean) {
    this.#name = name;
    this.#isColumn = isColumn;
  }

  /** What separates cells; undefined before enough has been read to tell. */
  get delimiter(): string | undefined {
    return this.#dialect?.delimiter;
  }

  /** The rows that end in the next piece. @throws MagnitudeEdgeError `invalid-data` */
  push(piece: Uint8Array): CsvRow[] {
    if (!this.#begun) {
      this.#begun = true;
      if (isGzip(piece)) this.#gzip = new GzipReader();
    }
    if (this.#gzip === undefined) this.#pushBytes(piece);
    else
      this.#unpack((gzip) => {
        for (const bytes of gzip.push(piece)) this.#pushBytes(bytes);
      });
    return this.#taken();
  }

  /** The rows that are left at the end. @throws MagnitudeEdgeError `invalid-data` where it ends too early */
  end(): CsvRow[] {
    this.#unpack((gzip) => {
      gzip.end();
    });
    this.#pushText(this.#decode());
    if (this.#tokenizer === undefined) this.#begin(true);
    if (!this.#tokenizer!.end()) throw refusal(this.#name, `${this.#name} ends inside a quoted cell`);
    return this.#taken();
  }

  #taken(): CsvRow[] {
    const rows = this.#rows;
    this.#rows = [];
    return rows;
  }

  #unpack(work: (gzip: GzipReader) => void): void {
    if (this.#gzip === undefined) return;
    try {
      work(this.#gzip);
    } catch (cause) {
      if (cause instanceof MagnitudeEdgeError) throw cause;
      const why = cause instanceof Error ? cause.message : String(cause);
      throw refusal(this.#name, `${this.#name} is damaged gzip: ${why}`, cause);
    }
  }

  #pushBytes(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#decoder ??= new TextDecoder(encodingOf(bytes), { fatal: true });
    this.#pushText(this.#decode(bytes));
  }

  #decode(bytes?: Uint8Array): string {
    try {
      return bytes ? this.#decoder!.decode(bytes, { stream: true }) : (this.#decoder?.decode() ?? '');
    } catch (cause) {
      throw refusal(this.#name, `${this.#name} is not UTF-8 text; save it as UTF-8`, cause);
    }
  }

  #pushText(text: string): void {
    if (this.#tokenizer !== undefined) {
      this.#tokenize(text);
      return;
    }
    this.#beginning += text;
    if (this.#beginning.length >= DETECT_CHARACTERS) this.#begin(false);
  }

  /** @param whole whether that is all of the text */
  #begin(whole: boolean): void {
    const text = this.#beginning;
    this.#beginning = '';
    const start = text.slice(0, MOST_DETECT_CHARACTERS);
    this.#dialect = detectDialect(start, whole && text === start, this.#name, this.#isColumn);
    const { delimiter, skip } = this.#dialect;
    this.#tokenizer = new CsvTokenizer(
      delimiter,
      (cells, line) => {
        if (!isBlankLine(cells)) this.#rows.push({ cells, line });
      },
      skip > 0 ? 2 : 1,
    );
    this.#tokenize(text.slice(skip));
  }

  #tokenize(text: string): void {
    try {
      this.#tokenizer!.push(text);
    } catch (cause) {
      throw refusal(this.#name, `${this.#name} is no table: it has ${(cause as Error).message}`, cause);
    }
  }
}

/** The encoding that the first bytes of a text say. */
export function encodingOf(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  return 'utf-8';
}

export function refusal(name: string, sentence: string, cause?: unknown): MagnitudeEdgeError {
  return new MagnitudeEdgeError('invalid-data', `${sentence}.`, { details: { source: name }, cause });
}
