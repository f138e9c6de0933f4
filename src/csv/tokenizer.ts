const quote = 0x22;
const lineFeed = 0x0a;

/** Longest row: without this limit, a file without line breaks would become one string. */
const MOST_ROW_CHARACTERS = 1 << 26;

/**
 * Splits delimited text (RFC 4180: quoted cells, doubled quotes, line breaks inside quotes, LF or CRLF) into rows, from
 * pieces of text of any size. A carriage return is part of a cell unless it ends a line.
 */
export class CsvTokenizer {
  readonly #delimiter: number;
  readonly #onRow: (cells: string[], line: number) => void;
  #cells: string[] = [];
  /** Text of the open cell from earlier pieces, and from before a doubled quote. */
  #cell = '';
  #quoted = false;
  /** The last character was a quote inside a quoted cell: it ends the cell, or is the first of two. */
  #quoteSeen = false;
  /** The last piece ended in a carriage return, which may end a line. */
  #returnWaits = false;
  #anyInRow = false;
  #rowLength = 0;
  #line: number;
  #rowLine: number;

  /**
   * @param delimiter one UTF-16 code unit
   * @param onRow called with each row's cells and the line it starts on
   * @param firstLine number of the first line; above 1 if lines before it were read elsewhere
   */
  constructor(delimiter: string, onRow: (cells: string[], line: number) => void, firstLine = 1) {
    this.#delimiter = delimiter.charCodeAt(0);
    this.#onRow = onRow;
    this.#line = this.#rowLine = firstLine;
  }

  /** @throws RangeError for a row of more than 67 million characters */
  push(piece: string): void {
    if (piece === '') return;
    const text = this.#returnWaits ? `\r${piece}` : piece;
    this.#returnWaits = false;
    let start = 0;
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === lineFeed) this.#line++;
      if (this.#quoted) {
        if (this.#quoteSeen) {
          this.#quoteSeen = false;
          if (code === quote) {
            this.#cell += '"';
            start = at + 1;
            continue;
          }
          this.#quoted = false;
          start = at;
        } else {
          if (code === quote) {
            this.#cell += text.slice(start, at);
            start = at + 1;
            this.#quoteSeen = true;
          }
          continue;
        }
      }
      if (code === quote && this.#cell === '' && start === at) {
        this.#quoted = true;
        this.#anyInRow = true;
        start = at + 1;
      } else if (code === this.#delimiter) {
        this.#endCell(text.slice(start, at));
        this.#anyInRow = true;
        start = at + 1;
      } else if (code === lineFeed) {
        const rest = text.slice(start, at);
        this.#endCell(rest.endsWith('\r') ? rest.slice(0, -1) : rest);
        this.#endRow();
        start = at + 1;
      }
    }
    if (!this.#quoteSeen) this.#hold(text.slice(start));
    this.#rowLength += text.length;
    if (this.#rowLength > MOST_ROW_CHARACTERS && (this.#anyInRow || this.#cell !== ''))
      throw new RangeError(`a row of more than ${MOST_ROW_CHARACTERS} characters`);
  }

  /** Ends the text. Returns false if it ends inside a quoted cell. */
  end(): boolean {
    if (this.#quoted && !this.#quoteSeen) return false;
    this.#quoted = false;
    this.#quoteSeen = false;
    if (this.#anyInRow || this.#cell !== '') {
      this.#endCell('');
      this.#endRow();
    }
    return true;
  }

  /** Keeps what the open cell has so far. */
  #hold(rest: string): void {
    this.#returnWaits = !this.#quoted && rest.endsWith('\r');
    this.#cell += this.#returnWaits ? rest.slice(0, -1) : rest;
  }

  #endCell(rest: string): void {
    this.#cells.push(this.#cell + rest);
    this.#cell = '';
  }

  #endRow(): void {
    const cells = this.#cells;
    this.#cells = [];
    this.#anyInRow = false;
    this.#rowLength = 0;
    this.#onRow(cells, this.#rowLine);
    this.#rowLine = this.#line;
  }
}
