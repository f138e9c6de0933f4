import { CsvTokenizer } from './tokenizer.ts';

/** What separates the cells of a file, and where its rows begin. */
export interface CsvDialect {
  /** One character */
  readonly delimiter: string;
  /** Characters of a first line `sep=…`, which spreadsheets write and read; 0 where there is none */
  readonly skip: number;
}

const delimiters = [',', '\t', ';'] as const;
/** Rows that are looked at */
const ROWS = 20;

/**
 * Finds the delimiter of a text: what a first line `sep=;` says; else the one of comma, tab and semicolon that gives
 * most columns that are looked for; else one that cuts the first rows into equally many cells, the file name's own
 * (`.tsv`) first.
 *
 * @param text the beginning of the file
 * @param whole whether that is all of it
 * @param isColumn whether a cell of the header is the name of a column that is looked for
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
  // Sorting is stable: what is equal in all of this stays in order.
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
