import { parquetMetadata, parquetSchema } from 'hyparquet';
import type { ColumnMetaData, FileMetaData } from 'hyparquet/src/types.js';
import type { ByteSource } from '../bytes/byte-source.ts';
import { MagnitudeEdgeError } from '../errors.ts';
import { isCodec, loadCodecs } from './codecs.ts';
import type { Column, ColumnFile } from './column.ts';
import { takeColumns, type MemoryBudget } from './memory-budget.ts';
import { ChunkReader, ColumnRows } from './parquet-chunk.ts';
import { parquetField, type ParquetField } from './parquet-types.ts';

/**
 * Opens a Parquet file of any compression and encoding in use. Columns are read by their logical types: 64-bit integers
 * and decimals as the nearest float64. hyparquet reads metadata and encodings; pages are walked here, to check their
 * claims against the metadata, and the metadata against the budget.
 *
 * @param name the file's name in error messages
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

/** Bytes read from the end of a file before the length of its metadata is known. */
const FOOTER_BYTES = 1 << 16;

/** Size of the footer in bytes: metadata, their length and the magic number. */
function footerSize(ending: Uint8Array): number {
  const view = new DataView(ending.buffer, ending.byteOffset, ending.byteLength);
  return view.byteLength < 8 ? 0 : view.getUint32(view.byteLength - 8, true) + 8;
}

/** Adjacent columns are read together, up to this many bytes. */
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
      throw new Error(`its row groups have ${rows} rows, but its metadata says ${this.rows}`);
    }
  }

  async read(positions: readonly number[], group?: number): Promise<Column[]> {
    const budget = group === undefined ? this.#budget : this.#budget.copy();
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

  /** Byte range of a column's pages in the file. */
  #place(chunk: ColumnMetaData, column: string): readonly [start: number, end: number] {
    const dictionary = Number(chunk.dictionary_page_offset ?? 0);
    const data = Number(chunk.data_page_offset);
    const start = dictionary > 0 && dictionary < data ? dictionary : data;
    const end = start + Number(chunk.total_compressed_size);
    if (!(start >= 4 && end >= start && end <= this.#source.size)) {
      throw new Error(`column '${column}' extends beyond the file`);
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

/** Items with their bytes, in file order; adjacent items share one read. */
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
