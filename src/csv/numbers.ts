import { MagnitudeEdgeError } from '../errors.ts';

/** Syntax of a number: decimal, with an optional exponent. */
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

/** What R, pandas, Excel and databases write for a missing value. */
const missing: ReadonlySet<string> = new Set(['', 'na', 'n/a', '#n/a', '#na', '<na>', 'null', 'none']);

export function isMissing(cell: string): boolean {
  return missing.has(cell.trim().toLowerCase());
}

/**
 * Parses the numbers of one file. A file whose delimiter is not a comma may use decimal commas, but then throughout:
 * next to `1.5`, `1,234` would be ambiguous.
 */
export class CsvNumbers {
  readonly #name: string;
  readonly #mayHaveComma: boolean;
  /** The first number with a decimal mark, and the mark */
  #first: { readonly mark: '.' | ','; readonly cell: string; readonly line: number } | undefined;

  /** @param name the file's name in error messages */
  constructor(name: string, delimiter: string) {
    this.#name = name;
    this.#mayHaveComma = delimiter !== ',';
  }

  /**
   * @returns undefined for a cell that is not a number; NaN is a number
   * @throws MagnitudeEdgeError `invalid-data` if decimal commas and points are mixed
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
