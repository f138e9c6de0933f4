import { parquetMetadata, parquetSchema } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import type { ColumnMetaData, FileMetaData, PageHeader } from 'hyparquet/src/types.js';
import { MagnitudeEdgeError } from '../errors.ts';
import { isCodec, loadCodecs, type Codecs } from './codecs.ts';
import type { Column, ColumnFile } from './column.ts';
import { takeColumns, type MemoryBudget } from './memory-budget.ts';
import { decodeValues, readHybrid } from './parquet-encodings.ts';
import { parquetField, type ColumnSink, type ParquetField } from './parquet-types.ts';

/**
 * Opens a Parquet file, of any compression and encoding that is in use. Columns are read by their logical types: 64-bit
 * integers and decimals as the nearest float64. hyparquet reads metadata and encodings; pages are gone through here, so that
 * what they claim is compared with the metadata, and that with the budget.
 *
 * @param name what messages call the file
 * @throws MagnitudeEdgeError `invalid-data` for damaged bytes
 */
export function openParquet(bytes: Uint8Array, name: string, budget: MemoryBudget): ColumnFile {
  return guarded(name, () => {
    const metadata = parquetMetadata(bytes, { geoparquet: false });
    return new OpenParquetFile(bytes, metadata, name, budget);
  });
}

class OpenParquetFile implements ColumnFile {
  readonly rows: number;
  readonly fields: readonly ParquetField[];
  readonly metadata: ReadonlyMap<string, string>;
  readonly #bytes: Uint8Array;
  readonly #groups: FileMetaData['row_groups'];
  readonly #name: string;
  readonly #budget: MemoryBudget;

  constructor(bytes: Uint8Array, metadata: FileMetaData, name: string, budget: MemoryBudget) {
    this.rows = Number(metadata.num_rows);
    this.fields = parquetSchema(metadata).children.map(parquetField);
    this.metadata = new Map(metadata.key_value_metadata?.map(({ key, value }) => [key, value ?? '']));
    this.#bytes = bytes;
    this.#groups = metadata.row_groups;
    this.#name = name;
    this.#budget = budget;
    const rows = this.#groups.reduce((sum, group) => sum + Number(group.num_rows), 0);
    if (rows !== this.rows || !(rows >= 0)) {
      throw new Error(`its row groups have ${rows} rows, and it says ${this.rows}`);
    }
  }

  async read(positions: readonly number[]): Promise<Column[]> {
    takeColumns(this.#budget, this.rows, positions.length, this.#name);
    const chunks = guarded(this.#name, () => positions.map((position) => this.#chunksOf(position)));
    const codecs = await loadCodecs(
      chunks
        .flat()
        .map(({ codec }) => codec)
        .filter((codec) => isCodec(codec)),
    );
    return guarded(this.#name, () =>
      positions.map((position, index) => this.#readColumn(this.fields[position]!, chunks[index]!, codecs)),
    );
  }

  /** The chunk of a column in each row group. */
  #chunksOf(position: number): ColumnMetaData[] {
    const { name } = this.fields[position]!;
    return this.#groups.map(({ columns, num_rows: rows }) => {
      const chunk = columns.find(({ meta_data: data }) => {
        return data?.path_in_schema.length === 1 && data.path_in_schema[0] === name;
      });
      if (chunk?.meta_data === undefined || chunk.file_path !== undefined) {
        throw new Error(`column '${name}' is not in the file`);
      }
      if (chunk.meta_data.num_values !== rows) {
        throw new Error(
          `column '${name}' has ${chunk.meta_data.num_values} values in a row group of ${rows} rows`,
        );
      }
      return chunk.meta_data;
    });
  }

  #readColumn(field: ParquetField, chunks: readonly ColumnMetaData[], codecs: Codecs): Column {
    const sink = field.sink(this.rows);
    if (field.kind === 'other') return sink.finish(undefined);
    const rows = new ColumnRows(sink, this.rows);
    for (const chunk of chunks) {
      const reader = new ChunkReader(this.#bytes, chunk, field, codecs, (bytes) => {
        this.#budget.take(bytes, `a page of column '${field.name}'`, this.#name);
      });
      reader.readInto(rows);
    }
    return sink.finish(rows.valid);
  }
}

/** Where the rows of a column have got to. */
class ColumnRows {
  readonly sink: ColumnSink;
  /** Once a row is without a value */
  valid: Uint8Array | undefined;
  readonly #rows: number;
  #at = 0;

  constructor(sink: ColumnSink, rows: number) {
    this.sink = sink;
    this.#rows = rows;
  }

  /** @param levels 1 for each row with a value, where there are some without */
  add(values: ArrayLike<number>, levels: Uint8Array | undefined): void {
    const into = this.sink.values;
    if (levels === undefined) {
      into.set(values, this.#at);
      this.#at += values.length;
      return;
    }
    this.valid ??= new Uint8Array(this.#rows).fill(1);
    for (let k = 0, value = 0; k < levels.length; k++, this.#at++) {
      if (levels[k] === 1) into[this.#at] = values[value++]!;
      else this.valid[this.#at] = 0;
    }
  }
}

/** The pages of one column in one row group. */
class ChunkReader {
  readonly #bytes: Uint8Array;
  readonly #chunk: ColumnMetaData;
  readonly #field: ParquetField;
  readonly #codecs: Codecs;
  readonly #take: (bytes: number) => void;
  #dictionary: ArrayLike<number> | undefined;

  constructor(
    file: Uint8Array,
    chunk: ColumnMetaData,
    field: ParquetField,
    codecs: Codecs,
    take: (bytes: number) => void,
  ) {
    const dictionary = Number(chunk.dictionary_page_offset ?? 0);
    const data = Number(chunk.data_page_offset);
    const start = dictionary > 0 && dictionary < data ? dictionary : data;
    const end = start + Number(chunk.total_compressed_size);
    if (!(start >= 4 && end >= start && end <= file.length)) {
      throw new Error(`column '${field.name}' ends after the file`);
    }
    this.#bytes = file.subarray(start, end);
    this.#chunk = chunk;
    this.#field = field;
    this.#codecs = codecs;
    this.#take = take;
  }

  readInto(rows: ColumnRows): void {
    const { buffer, byteOffset, byteLength } = this.#bytes;
    const reader = { view: new DataView(buffer, byteOffset, byteLength), offset: 0 };
    let left = Number(this.#chunk.num_values);
    while (left > 0) {
      const header = parquetHeader(reader);
      const end = reader.offset + header.compressed_page_size;
      if (!(header.compressed_page_size >= 0 && header.uncompressed_page_size >= 0 && end <= byteLength)) {
        throw new Error(`a page of column '${this.#field.name}' ends after its column`);
      }
      const packed = this.#bytes.subarray(reader.offset, end);
      reader.offset = end;
      left -= this.#readPage(header, packed, left, rows);
    }
  }

  /** @returns how many rows it had */
  #readPage(header: PageHeader, packed: Uint8Array, left: number, rows: ColumnRows): number {
    const { sink } = rows;
    switch (header.type) {
      case 'DICTIONARY_PAGE': {
        const count = header.dictionary_page_header?.num_values ?? -1;
        const page = this.#unpack(packed, header.uncompressed_page_size);
        // No value takes less than a bit.
        if (!(count >= 0 && count <= 8 * page.length)) throw new Error('a dictionary has no length');
        this.#dictionary = sink.convert(decodeValues(page, 'PLAIN', count, this.#field.element));
        return 0;
      }
      case 'DATA_PAGE': {
        const {
          num_values: count,
          encoding,
          definition_level_encoding: levelEncoding,
        } = header.data_page_header!;
        checkCount(count, left);
        const page = this.#unpack(packed, header.uncompressed_page_size);
        let levels: Uint8Array | undefined;
        let start = 0;
        if (this.#field.element.repetition_type === 'OPTIONAL') {
          if (levelEncoding !== 'RLE') throw new Error(`levels in ${levelEncoding} are not read`);
          start = 4 + new DataView(page.buffer, page.byteOffset).getUint32(0, true);
          if (start > page.length) throw new Error('a page ends before its values');
          levels = readLevels(page.subarray(4, start), count);
        }
        rows.add(this.#values(page.slice(start), encoding, levels, count, sink), levels);
        return count;
      }
      case 'DATA_PAGE_V2': {
        const {
          num_values: count,
          encoding,
          definition_levels_byte_length: levelBytes,
          repetition_levels_byte_length: repetitionBytes,
          is_compressed: compressed,
        } = header.data_page_header_v2!;
        checkCount(count, left);
        const start = levelBytes + repetitionBytes;
        const size = header.uncompressed_page_size - start;
        if (!(levelBytes >= 0 && repetitionBytes >= 0 && start <= packed.length && size >= 0)) {
          throw new Error('a page ends before its values');
        }
        const optional = this.#field.element.repetition_type === 'OPTIONAL';
        const levels = optional ? readLevels(packed.subarray(repetitionBytes, start), count) : undefined;
        const rest = packed.subarray(start);
        const page = compressed === false || rest.length === 0 ? rest.slice() : this.#unpack(rest, size);
        rows.add(this.#values(page, encoding, levels, count, sink), levels);
        return count;
      }
      default:
        // Index pages hold no values.
        return 0;
    }
  }

  /** The values of a page as numbers: one for each row that has one. */
  #values(
    page: Uint8Array,
    encoding: PageEncoding,
    levels: Uint8Array | undefined,
    count: number,
    sink: ColumnSink,
  ): ArrayLike<number> {
    let present = count;
    if (levels) for (const level of levels) present -= 1 - level;
    if (encoding !== 'RLE_DICTIONARY' && encoding !== 'PLAIN_DICTIONARY') {
      return sink.convert(decodeValues(page, encoding, present, this.#field.element));
    }
    const dictionary = this.#dictionary;
    if (present === 0) return [];
    if (dictionary === undefined)
      throw new Error(`the dictionary of column '${this.#field.name}' is missing`);
    const indices = new Int32Array(present);
    readHybrid(page, 1, page[0] ?? 0, indices);
    return Float64Array.from(indices, (index) => {
      const value = dictionary[index];
      if (value === undefined) throw new Error(`an index is ${index} of ${dictionary.length}`);
      return value;
    });
  }

  /** A page's bytes, in a buffer of their own. */
  #unpack(packed: Uint8Array, size: number): Uint8Array {
    const { codec } = this.#chunk;
    if (codec === 'UNCOMPRESSED') {
      if (packed.length !== size)
        throw new Error(`a page of ${packed.length} bytes says that it has ${size}`);
      return packed.slice();
    }
    this.#take(size);
    const decompress = isCodec(codec) ? this.#codecs.get(codec) : undefined;
    if (decompress === undefined) throw new Error(`it is compressed by ${codec}, which is not read`);
    const page = decompress(packed, size);
    if (page.length !== size) throw new Error(`a page unpacks to ${page.length} bytes and says ${size}`);
    return page.byteLength === page.buffer.byteLength ? page : page.slice();
  }
}

type PageEncoding = NonNullable<PageHeader['data_page_header']>['encoding'];

function checkCount(count: number, left: number): void {
  if (!(count >= 0 && count <= left)) throw new Error(`a page has ${count} values where ${left} are left`);
}

/** Which rows have a value; undefined where all have. */
function readLevels(bytes: Uint8Array, count: number): Uint8Array | undefined {
  const levels = new Uint8Array(count);
  readHybrid(bytes, 0, 1, levels);
  return levels.includes(0) ? levels : undefined;
}

function guarded<T>(name: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof MagnitudeEdgeError) throw cause;
    const why = cause instanceof Error ? cause.message.replace(/\.$/, '') : String(cause);
    throw new MagnitudeEdgeError('invalid-data', `${name} could not be read as Parquet: ${why}.`, {
      details: { source: name },
      cause,
    });
  }
}
