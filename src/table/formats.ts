import { tableFromIPC, tableToIPC, type Table } from 'apache-arrow';
import { MagnitudeEdgeError } from '../errors.ts';
import { csvToTable, tableToCsv } from './csv.ts';
import { parquetToTable, tableToParquet } from './parquet.ts';

/** The formats that tables are written in and read from. */
export type TableFormat = 'arrow' | 'csv' | 'parquet';

const formats: readonly TableFormat[] = ['arrow', 'csv', 'parquet'];

/**
 * The format that a file name asks for by its extension.
 *
 * @throws `invalid-argument` for any other extension
 */
export function tableFormat(fileName: string): TableFormat {
  const extension = /\.([^./\\]+)$/.exec(fileName)?.[1]?.toLowerCase();
  const found = formats.find((format) => format === extension);
  if (found !== undefined) return found;
  throw new MagnitudeEdgeError(
    'invalid-argument',
    `'${fileName}' must end in .arrow, .csv or .parquet, which says how the table is written.`,
    { details: { source: fileName } },
  );
}

/** A table as the bytes of a file: Arrow IPC file format, CSV ({@link tableToCsv}) or Parquet. */
export function encodeTable(table: Table, format: TableFormat): Uint8Array {
  switch (format) {
    case 'arrow':
      return tableToIPC(table, 'file');
    case 'csv':
      return tableToCsv(table);
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
      return csvToTable(bytes, name);
    case 'parquet':
      return parquetToTable(bytes, name);
  }
}
