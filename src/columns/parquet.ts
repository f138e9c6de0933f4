import { parquetMetadata, parquetSchema } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import type { ColumnMetaData, FileMetaData, PageHeader } from 'hyparquet/src/types.js';
import type { ByteSource } from '../bytes/byte-source.ts';
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
export async function openParquet(
  source: ByteSource,
  name: string,
  budget: MemoryBudget,
): Promise<ColumnFile> {
  const { size } = source;
  const ending = await source.read(Math.max(0, size - FOOTER_BYTES), size);
  const footerBytes = guarded(name, () => footerSize(ending));
  const footer = footerBytes > ending.length && footerBytes <= size;
  const bytes = footer ? await source.read(size - footerBytes, size) : ending;
  return guarded(name, () => {
    return new OpenParquetFile(source, parquetMetadata(bytes, { geoparquet: false }), name, budget);
  });
}

/** Bytes that are read of the end of a file before the length of its metadata is known. */
const FOOTER_BYTES = 1 << 16;

/** Bytes of the metadata, their length and the magic number. */
function footerSize(ending: Uint8Array): number {
  const view = new DataView(ending.buffer, ending.byteOffset, ending.byteLength);
  return view.byteLength < 8 ? 0 : view.getUint32(view.byteLength - 8, true) + 8;
}

/** Columns that lie behind each other are read at once, up to so many bytes. */
const READ_BYTES = 1 << 24;

class OpenParquetFile implements ColumnFile {
  readonly rows: number;
  readonly groups: readonly number[];
  readonly fields: readonly ParquetField[];
  readonly metadata: ReadonlyMap<string, string>;
  readonly #source: ByteSource;
  readonly #groups: FileMetaData['row_groups'];
  readonly #name: string;
  readonly #budget: MemoryBudget;

  constructor(source: ByteSource, metadata: FileMetaData, name: string, budget: MemoryBudget) {
    this.rows = Number(metadata.num_rows);
    this.fields = parquetSchema(metadata).children.map(parquetField);
    this.metadata = new Map(metadata.key_value_metadata?.map(({ key, value }) => [key, value ?? '']));
    this.#source = source;
    this.#groups = metadata.row_groups;
    this.#name = name;
    this.#budget = budget;
    this.groups = this.#groups.map((group) => Number(group.num_rows));
    const rows = this.groups.reduce((sum, count) => sum + count, 0);
    if (rows !== this.rows || !(rows >= 0)) {
      throw new Error(`its row groups have ${rows} rows, and it says ${this.rows}`);
    }
  }

  async read(positions: readonly number[], group?: number): Promise<Column[]> {
    const budget = group === undefined ? this.#budget : this.#budget.again();
    const rows = group === undefined ? this.rows : this.groups[group]!;
    takeColumns(budget, rows, positions.length, this.#name);
    const groups = group === undefined ? this.#groups : [this.#groups[group]!];
    const columns = positions.map((position) => {
      const field = this.fields[position]!;
      return { field, rows: new ColumnRows(field.sink(rows), rows) };
    });
    for (const one of groups) {
      const chunks = guarded(this.#name, () => {
        const chunkOf = chunksOf(one);
        return columns.flatMap(({ field, rows: into }) => {
          if (field.kind === 'other') return [];
          const chunk = chunkOf(field.name);
          return { field, into, chunk, bytes: this.#place(chunk, field.name) };
        });
      });
      const codecs = await loadCodecs(
        chunks.map(({ chunk }) => chunk.codec).filter((codec) => isCodec(codec)),
      );
      for await (const [{ field, into, chunk }, bytes] of readTogether(chunks, this.#source)) {
        guarded(this.#name, () => {
          new ChunkReader(bytes, chunk, field, codecs, (size) => {
            budget.take(size, `a page of column '${field.name}'`, this.#name);
          }).readInto(into);
        });
      }
    }
    return columns.map(({ rows: { sink, valid } }) => sink.finish(valid));
  }

  /** Where the pages of a column lie in the file. */
  #place(chunk: ColumnMetaData, column: string): readonly [start: number, end: number] {
    const dictionary = Number(chunk.dictionary_page_offset ?? 0);
    const data = Number(chunk.data_page_offset);
    const start = dictionary > 0 && dictionary < data ? dictionary : data;
    const end = start + Number(chunk.total_compressed_size);
    if (!(start >= 4 && end >= start && end <= this.#source.size)) {
      throw new Error(`column '${column}' ends after the file`);
    }
    return [start, end];
  }
}

/** The chunk of each column in a row group, by its name. */
function chunksOf({ columns, num_rows: rows }: FileMetaData['row_groups'][number]) {
  const chunks = new Map<string, ColumnMetaData>();
  for (const { meta_data: data, file_path: elsewhere } of columns) {
    const name = data?.path_in_schema.length === 1 ? data.path_in_schema[0]! : undefined;
    if (name !== undefined && elsewhere === undefined && !chunks.has(name)) chunks.set(name, data!);
  }
  return (name: string): ColumnMetaData => {
    const chunk = chunks.get(name);
    if (chunk === undefined) throw new Error(`column '${name}' is not in the file`);
    if (chunk.num_values !== rows) {
      throw new Error(`column '${name}' has ${chunk.num_values} values in a row group of ${rows} rows`);
    }
    return chunk;
  };
}

/** Items with their bytes, in the order of the file; those that lie behind each other come with one read. */
async function* readTogether<T extends { readonly bytes: readonly [start: number, end: number] }>(
  items: readonly T[],
  source: ByteSource,
): AsyncGenerator<readonly [T, Uint8Array], void, undefined> {
  const inOrder = [...items].sort((a, b) => a.bytes[0] - b.bytes[0]);
  for (let first = 0; first < inOrder.length;) {
    const [start] = inOrder[first]!.bytes;
    let [, end] = inOrder[first]!.bytes;
    let after = first + 1;
    for (; after < inOrder.length; after++) {
      const [from, to] = inOrder[after]!.bytes;
      if (from > end || to - start > READ_BYTES) break;
      end = Math.max(end, to);
    }
    const read = await source.read(start, end);
    for (; first < after; first++) {
      const item = inOrder[first]!;
      yield [item, read.subarray(item.bytes[0] - start, item.bytes[1] - start)];
    }
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

  /** @param bytes the pages */
  constructor(
    bytes: Uint8Array,
    chunk: ColumnMetaData,
    field: ParquetField,
    codecs: Codecs,
    take: (bytes: number) => void,
  ) {
    this.#bytes = bytes;
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
