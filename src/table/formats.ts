import { tableFromIPC, tableToIPC, type Table } from 'apache-arrow';
import { MagnitudeEdgeError } from '../errors.ts';
import { tableToCsv, type CsvStyle } from './csv.ts';
import { parquetToTable, tableToParquet } from './parquet.ts';
import { csvToTable } from './read-csv.ts';

/** The formats that tables are written in and read from. */
export type TableFormat = 'arrow' | 'csv' | 'tsv' | 'parquet';

const formats: Readonly<Record<string, TableFormat>> = {
  arrow: 'arrow',
  csv: 'csv',
  tsv: 'tsv',
  parquet: 'parquet',
};

/**
 * The format that a file name asks for by its extension; `.csv.gz` and `.tsv.gz` are text that is compressed, which is read
 * and not written.
 *
 * @throws `invalid-argument` for any other extension
 */
export function tableFormat(fileName: string): TableFormat {
  const extension = /\.([^./\\]+)$/.exec(fileName.replace(/(\.[ct]sv)\.gz$/i, '$1'))?.[1]?.toLowerCase();
  const found = extension !== undefined && Object.hasOwn(formats, extension) ? formats[extension] : undefined;
  if (found !== undefined) return found;
  throw new MagnitudeEdgeError(
    'invalid-argument',
    `'${fileName}' must end in .arrow, .csv, .tsv or .parquet, which says how the table is written.`,
    { details: { source: fileName } },
  );
}

/** How files of text are written; other formats have no choice. */
export type TextOptions = Pick<CsvStyle, 'spreadsheetSafe'>;

/** A table as the bytes of a file: Arrow IPC file format, CSV or TSV ({@link tableToCsv}), or Parquet. */
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

/**
 * Reads a table back; Arrow IPC in file or stream format.
 *
 * @param name what messages call the bytes
 * @throws `invalid-data` where they are not of that format
 */
export async function decodeTable(bytes: Uint8Array, format: TableFormat, name: string): Promise<Table> {
  switch (format) {
    case 'arrow':
      try {
        return tableFromIPC(bytes);
      } catch (cause) {
        throw new MagnitudeEdgeError('invalid-data', `${name} is damaged, or is not Arrow IPC.`, {
          details: { source: name },
          cause,
        });
      }
    case 'csv':
    case 'tsv':
      return csvToTable(bytes, name);
    case 'parquet':
      return parquetToTable(bytes, name);
  }
}
