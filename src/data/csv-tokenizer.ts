const quote = 0x22;
const comma = 0x2c;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/**
 * Splits comma-separated text (RFC 4180: quoted cells, doubled quotes, line breaks inside quotes, LF or CRLF, an
 * optional byte order mark) into rows, from pieces of text of any size.
 */
export class CsvTokenizer {
  readonly #onRow: (cells: string[], line: number) => void;
  #cells: string[] = [];
  /** Text of the open cell from earlier pieces, and from before a doubled quote. */
  #cell = '';
  #quoted = false;
  /** The last character was a quote inside a quoted cell: it ends the cell, or is the first of two. */
  #quoteSeen = false;
  #anyInRow = false;
  #first = true;
  #line = 1;
  #rowLine = 1;

  /** @param onRow called with each row's cells and the line it starts on, counted from 1 */
  constructor(onRow: (cells: string[], line: number) => void) {
    this.#onRow = onRow;
  }

  push(text: string): void {
    if (text === '') return;
    let start = 0;
    if (this.#first && text.startsWith('\ufeff')) start = 1;
    this.#first = false;
    for (let at = start; at < text.length; at++) {
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
      } else if (code === comma) {
        this.#endCell(text.slice(start, at));
        this.#anyInRow = true;
        start = at + 1;
      } else if (code === lineFeed) {
        this.#endCell(text.slice(start, at));
        this.#endRow();
        start = at + 1;
      }
    }
    if (!this.#quoteSeen) this.#cell += text.slice(start);
    if (this.#cell !== '') this.#anyInRow = true;
  }

  /** The end of the text. False when it ends inside a quoted cell. */
  end(): boolean {
    if (this.#quoted && !this.#quoteSeen) return false;
    this.#quoted = false;
    this.#quoteSeen = false;
    if (this.#anyInRow) {
      this.#endCell('');
      this.#endRow();
    }
    return true;
  }

  #endCell(rest: string): void {
    const cell = this.#cell + rest;
    this.#cells.push(cell.charCodeAt(cell.length - 1) === carriageReturn ? cell.slice(0, -1) : cell);
    this.#cell = '';
  }

  #endRow(): void {
    const cells = this.#cells;
    this.#cells = [];
    this.#anyInRow = false;
    this.#onRow(cells, this.#rowLine);
    this.#rowLine = this.#line;
  }
}
