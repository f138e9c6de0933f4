import { MagnitudeEdgeError } from '../errors.ts';
import { detectDialect, isBlankLine, type CsvDialect } from './dialect.ts';
import { GzipReader, isGzip } from './gunzip.ts';
import { CsvTokenizer } from './tokenizer.ts';

/** Characters examined to detect the delimiter: at least (if the text has as many), and at most. */
const DETECT_CHARACTERS = 1 << 16;
const MOST_DETECT_CHARACTERS = 1 << 22;

export interface CsvRow {
  readonly cells: readonly string[];
  /** Line of the file on which the row starts, from 1 */
  readonly line: number;
}

/**
 * Turns delimited text, pushed piece by piece as bytes, into rows. The delimiter is comma, tab or semicolon (detected,
 * or declared by a first line `sep=;`). The text is UTF-8, or UTF-16 with a byte order mark, and may be
 * gzip-compressed. Blank lines are left out.
 */
export class CsvRows {
  readonly #name: string;
  readonly #isColumn: (cell: string) => boolean;
  #gzip: GzipReader | undefined;
  #decoder: TextDecoder | undefined;
  #begun = false;
  /** Text received before the delimiter is known */
  #beginning = '';
  #dialect: CsvDialect | undefined;
  #tokenizer: CsvTokenizer | undefined;
  #rows: CsvRow[] = [];

  /**
   * @param name the file's name in error messages
   * @param isColumn whether a header cell names a wanted column
   */
  constructor(name: string, isColumn: (cell: string) => boolean) {
    this.#name = name;
    this.#isColumn = isColumn;
  }

  /** What separates cells; undefined until enough has been read to detect it. */
  get delimiter(): string | undefined {
    return this.#dialect?.delimiter;
  }

  /** Takes the next piece and returns the rows that end in it. @throws MagnitudeEdgeError `invalid-data` */
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
    return this.#takeRows();
  }

  /** Returns the remaining rows. @throws MagnitudeEdgeError `invalid-data` if the text is incomplete */
  end(): CsvRow[] {
    this.#unpack((gzip) => {
      gzip.end();
    });
    this.#pushText(this.#decode());
    if (this.#tokenizer === undefined) this.#begin(true);
    if (!this.#tokenizer!.end()) throw refusal(this.#name, `${this.#name} ends inside a quoted cell`);
    return this.#takeRows();
  }

  #takeRows(): CsvRow[] {
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

  /** @param whole whether this is all of the text */
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
      throw refusal(this.#name, `${this.#name} is not a table: it has ${(cause as Error).message}`, cause);
    }
  }
}

/** The encoding given by a byte order mark; UTF-8 without one. */
export function encodingOf(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  return 'utf-8';
}

export function refusal(name: string, sentence: string, cause?: unknown): MagnitudeEdgeError {
  return new MagnitudeEdgeError('invalid-data', `${sentence}.`, { details: { source: name }, cause });
}
