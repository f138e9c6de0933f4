import { MagnitudeEdgeError } from '../errors.ts';

/** What a number may look like: decimal, with an exponent or not. */
const withPoint = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const withComma = /^[+-]?(?:\d+,\d*|,\d+)(?:[eE][+-]?\d+)?$/;

const specialNumbers = new Map([
  ['nan', NaN],
  ['-nan', NaN],
  ['inf', Infinity],
  ['+inf', Infinity],
  ['infinity', Infinity],
  ['+infinity', Infinity],
  ['-inf', -Infinity],
  ['-infinity', -Infinity],
]);

/** What R, pandas, Excel and databases write for no value. */
const missing: ReadonlySet<string> = new Set(['', 'na', 'n/a', '#n/a', '#na', '<na>', 'null', 'none']);

export function isMissing(cell: string): boolean {
  return missing.has(cell.trim().toLowerCase());
}

/**
 * Reads the numbers of one file. A file whose delimiter is no comma may write them with a decimal comma, but then all of
 * them: `1,234` beside `1.5` would be one or the other.
 */
export class CsvNumbers {
  readonly #name: string;
  readonly #mayHaveComma: boolean;
  /** The first number with a decimal mark, and the mark */
  #first: { readonly mark: '.' | ','; readonly cell: string; readonly line: number } | undefined;

  /** @param name what messages call the file */
  constructor(name: string, delimiter: string) {
    this.#name = name;
    this.#mayHaveComma = delimiter !== ',';
  }

  /**
   * @returns undefined for what is no number; NaN is one
   * @throws MagnitudeEdgeError `invalid-data` where decimal commas and points are mixed
   */
  read(cell: string, line: number): number | undefined {
    const text = cell.trim();
    if (withPoint.test(text)) {
      if (this.#mayHaveComma && text.includes('.')) this.#note('.', text, line);
      return Number(text);
    }
    if (this.#mayHaveComma && withComma.test(text)) {
      this.#note(',', text, line);
      return Number(text.replace(',', '.'));
    }
    return specialNumbers.get(text.toLowerCase());
  }

  #note(mark: '.' | ',', cell: string, line: number): void {
    const first = (this.#first ??= { mark, cell, line });
    if (first.mark === mark) return;
    throw new MagnitudeEdgeError(
      'invalid-data',
      `${this.#name} has '${first.cell}' in line ${first.line} and '${cell}' in line ${line}: decimal points or decimal commas were expected, not both.`,
      { details: { source: this.#name, line } },
    );
  }
}
