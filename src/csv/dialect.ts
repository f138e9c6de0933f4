import { CsvTokenizer } from './tokenizer.ts';

/** The delimiter of a file, and where its rows begin. */
export interface CsvDialect {
  /** One character */
  readonly delimiter: string;
  /** Length of a first line `sep=…`, which spreadsheets write and read; 0 without one */
  readonly skip: number;
}

const delimiters = [',', '\t', ';'] as const;
/** Rows examined */
const ROWS = 20;

/**
 * Detects the delimiter: the one declared by a first line `sep=;`; else the one of comma, tab and semicolon that yields
 * the most wanted columns; else one that splits the first rows into equally many cells, preferring that of the file
 * name (`.tsv`).
 *
 * @param text the beginning of the file
 * @param whole whether this is the whole file
 * @param isColumn whether a header cell names a wanted column
 */
export function detectDialect(
  text: string,
  whole: boolean,
  name: string,
  isColumn: (cell: string) => boolean,
): CsvDialect {
  const said = /^(?:"sep=([^"\r\n])"|sep=([^\r\n]))\r?\n/i.exec(text);
  if (said) return { delimiter: (said[1] ?? said[2])!, skip: said[0].length };
  const ownFirst = /\.(tsv|tab)(\.gz)?$/i.test(name) ? ['\t', ',', ';'] : delimiters;
  const cuts = ownFirst.map((delimiter) => {
    const rows = firstRows(text, whole, delimiter);
    const width = rows[0]?.length ?? 0;
    return {
      delimiter,
      columns: rows[0]?.filter((cell) => isColumn(cell.trim())).length ?? 0,
      even: width > 1 && rows.every((cells) => cells.length === width),
      width,
    };
  });
  // Sorting is stable: ties keep their order of preference.
  cuts.sort(
    (a, b) => b.columns - a.columns || Number(b.even) - Number(a.even) || (a.even ? 0 : b.width - a.width),
  );
  return { delimiter: cuts[0]!.delimiter, skip: 0 };
}

function firstRows(text: string, whole: boolean, delimiter: string): string[][] {
  const rows: string[][] = [];
  const tokenizer = new CsvTokenizer(delimiter, (cells) => {
    if (rows.length < ROWS && !isBlankLine(cells)) rows.push(cells);
  });
  tokenizer.push(text);
  if (whole || rows.length === 0) tokenizer.end();
  return rows;
}

export function isBlankLine(cells: readonly string[]): boolean {
  return cells.length === 1 && cells[0]!.trim() === '';
}
