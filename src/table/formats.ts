import { tableToIPC, type Table } from 'apache-arrow';
import { BytesInMemory } from '../bytes/byte-source.ts';
import { openArrow } from '../columns/arrow.ts';
import { MemoryBudget } from '../columns/memory-budget.ts';
import { openParquet } from '../columns/parquet.ts';
import { MagnitudeEdgeError } from '../errors.ts';
import { tableToCsv, type CsvStyle } from './csv.ts';
import { tableToParquet } from './parquet.ts';
import { csvToTable } from './read-csv.ts';
import { tableFromFile } from './table-from-file.ts';

/** Formats that tables can be written in and read from. */
export type TableFormat = 'arrow' | 'csv' | 'tsv' | 'parquet';

const formats: Readonly<Record<string, TableFormat>> = {
  arrow: 'arrow',
  feather: 'arrow',
  csv: 'csv',
  tsv: 'tsv',
  parquet: 'parquet',
};

/**
 * The format of a file by its extension. `.csv.gz` and `.tsv.gz` are compressed text, which can be read but not
 * written.
 *
 * @throws `invalid-argument` for any other extension
 */
export function tableFormat(fileName: string): TableFormat {
  const extension = /\.([^./\\]+)$/.exec(fileName.replace(/(\.[ct]sv)\.gz$/i, '$1'))?.[1]?.toLowerCase();
  const found = extension !== undefined && Object.hasOwn(formats, extension) ? formats[extension] : undefined;
  if (found !== undefined) return found;
  throw new MagnitudeEdgeError(
    'invalid-argument',
    `'${fileName}' must end in .arrow, .feather, .csv, .tsv or .parquet, which says how the table is written.`,
    { details: { source: fileName } },
  );
}

/** How text files are written; other formats have no options. */
export type TextOptions = Pick<CsvStyle, 'spreadsheetSafe'>;

/** A table as the bytes of a file: Arrow IPC file format, CSV or TSV, or Parquet. */
export function encodeTable(table: Table, format: TableFormat, options: TextOptions = {}): Uint8Array {
  switch (format) {
    case 'arrow':
      return tableToIPC(table, 'file');
    case 'csv':
      return tableToCsv(table, { ...options, delimiter: ',' });
    case 'tsv':
      return tableToCsv(table, { ...options, delimiter: '\t' });
    case 'parquet':
      return tableToParquet(table);
  }
}

/** Options of {@link decodeTable}. */
export interface DecodeTableOptions {
  /** Most bytes of memory that reading the table may take. Default 2 GiB. */
  readonly memoryBudget?: number | undefined;
}

/**
 * Reads a table back, or one that another tool has written: Arrow IPC in file or stream format, Parquet, CSV,
 * compressed or not.
 *
 * @param name the source's name in error messages
 * @throws `invalid-data` for bytes that are not of that format, `out-of-memory` beyond the budget
 */
export async function decodeTable(
  bytes: Uint8Array,
  format: TableFormat,
  name: string,
  { memoryBudget }: DecodeTableOptions = {},
): Promise<Table> {
  const budget = new MemoryBudget(memoryBudget);
  switch (format) {
    case 'arrow':
      return tableFromFile(openArrow(bytes, name, budget), name);
    case 'csv':
    case 'tsv':
      return csvToTable(bytes, name);
    case 'parquet':
      return tableFromFile(await openParquet(new BytesInMemory(bytes), name, budget), name);
  }
}
