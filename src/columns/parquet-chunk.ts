import { parquetHeader } from 'hyparquet/src/column.js';
import type { ColumnMetaData, PageHeader } from 'hyparquet/src/types.js';
import { isCodec, type Codecs } from './codecs.ts';
import { decodeValues, readHybrid } from './parquet-encodings.ts';
import type { ColumnSink, ParquetField } from './parquet-types.ts';

/** Fills the rows of a column in order. */
export class ColumnRows {
  readonly sink: ColumnSink;
  /** Set once a row is null */
  valid: Uint8Array | undefined;
  readonly #rows: number;
  #at = 0;

  constructor(sink: ColumnSink, rows: number) {
    this.sink = sink;
    this.#rows = rows;
  }

  /** @param levels 1 for each row with a value, 0 for null; undefined if no row is null */
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

/** Reads the pages of one column in one row group. */
export class ChunkReader {
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
    let remaining = Number(this.#chunk.num_values);
    while (remaining > 0) {
      const header = parquetHeader(reader);
      const end = reader.offset + header.compressed_page_size;
      if (!(header.compressed_page_size >= 0 && header.uncompressed_page_size >= 0 && end <= byteLength)) {
        throw new Error(`a page of column '${this.#field.name}' extends beyond its column`);
      }
      const packed = this.#bytes.subarray(reader.offset, end);
      reader.offset = end;
      remaining -= this.#readPage(header, packed, remaining, rows);
    }
  }

  /** @returns the number of rows in the page */
  #readPage(header: PageHeader, packed: Uint8Array, remaining: number, rows: ColumnRows): number {
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
        checkCount(count, remaining);
        const page = this.#unpack(packed, header.uncompressed_page_size);
        let levels: Uint8Array | undefined;
        let start = 0;
        if (this.#field.element.repetition_type === 'OPTIONAL') {
          if (levelEncoding !== 'RLE') throw new Error(`levels encoded as ${levelEncoding} cannot be read`);
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
        checkCount(count, remaining);
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

  /** The values of a page as numbers, one per row that is not null. */
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
      if (value === undefined)
        throw new Error(`a dictionary index is ${index}, but the dictionary has ${dictionary.length} values`);
      return value;
    });
  }

  /** A page's decompressed bytes, in a buffer of their own. */
  #unpack(packed: Uint8Array, size: number): Uint8Array {
    const { codec } = this.#chunk;
    if (codec === 'UNCOMPRESSED') {
      if (packed.length !== size)
        throw new Error(`a page has ${packed.length} bytes, but its header says ${size}`);
      return packed.slice();
    }
    this.#take(size);
    const decompress = isCodec(codec) ? this.#codecs.get(codec) : undefined;
    if (decompress === undefined) throw new Error(`its compression (${codec}) cannot be read`);
    const page = decompress(packed, size);
    if (page.length !== size)
      throw new Error(`a page unpacks to ${page.length} bytes, but its header says ${size}`);
    return page.byteLength === page.buffer.byteLength ? page : page.slice();
  }
}

type PageEncoding = NonNullable<PageHeader['data_page_header']>['encoding'];

function checkCount(count: number, left: number): void {
  if (!(count >= 0 && count <= left))
    throw new Error(`a page has ${count} values, but only ${left} are left`);
}

/** Which rows have a value; undefined if all have. */
function readLevels(bytes: Uint8Array, count: number): Uint8Array | undefined {
  const levels = new Uint8Array(count);
  readHybrid(bytes, 0, 1, levels);
  return levels.includes(0) ? levels : undefined;
}
