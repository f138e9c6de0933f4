import { MagnitudeEdgeError } from '../errors.ts';
import { readFrom, readNow, type ByteReading } from '../bytes/byte-reading.ts';
import { BytesInMemory, type ByteSource } from '../bytes/byte-source.ts';
import {
  readMessages,
  readPart,
  type ArrowBatch,
  type ArrowMessages,
  type ArrowPart,
} from './arrow-messages.ts';
import { readFields, readMetadata, type ArrowField } from './arrow-schema.ts';
import { readBatchColumns } from './arrow-values.ts';
import { loadCodecs, type Codecs } from './codecs.ts';
import type { Column, ColumnFile } from './column.ts';
import { concat } from './column-parts.ts';
import { takeColumns, type MemoryBudget } from './memory-budget.ts';

/** An Arrow IPC file in memory; if nothing in it is compressed, it can also be read synchronously. */
export interface ArrowFile extends ColumnFile {
  /**
   * Synchronous `read`.
   * @throws MagnitudeEdgeError like `read`, and `invalid-data` for a compressed file
   */
  readNow(positions: readonly number[]): Column[];
}

/**
 * Opens Arrow IPC, file or stream format, compressed or not. Columns are read by their logical types: 64-bit integers
 * and decimals as the nearest float64; dictionaries, runs and views are decoded. Used instead of apache-arrow's reader,
 * which trusts the sizes in a file, returns raw bits for some types, and does not support run-end encoding.
 *
 * @param name the file's name in error messages
 * @throws MagnitudeEdgeError `invalid-data` for damaged bytes
 */
export function openArrow(bytes: Uint8Array, name: string, budget: MemoryBudget): ArrowFile {
  const file = readNow(opening(new BytesInMemory(bytes), name, budget), bytes);
  return Object.assign(file, {
    readNow: (positions: readonly number[]) => readNow(file.columns(positions, undefined, new Map()), bytes),
  });
}

/**
 * Like {@link openArrow}, for a file that is not in memory; reads only the batches that are requested.
 *
 * @throws also what the source throws
 */
export function openArrowFrom(source: ByteSource, name: string, budget: MemoryBudget): Promise<ColumnFile> {
  return readFrom(opening(source, name, budget), source);
}

function opening(source: ByteSource, name: string, budget: MemoryBudget): ByteReading<OpenArrowFile> {
  return guarded(name, function* () {
    return new OpenArrowFile(yield* readMessages(source.size), source, name, budget);
  });
}

class OpenArrowFile implements ColumnFile {
  readonly rows: number;
  readonly groups: readonly number[];
  readonly fields: readonly ArrowField[];
  readonly metadata: ReadonlyMap<string, string>;
  readonly #parts: readonly ArrowPart[];
  readonly #source: ByteSource;
  readonly #name: string;
  readonly #budget: MemoryBudget;
  /** The last batch read for a single group: its other columns are often requested next. */
  #last: { readonly part: ArrowPart; readonly batch: ArrowBatch } | undefined;

  constructor(
    { schema, schemaBytes, parts }: ArrowMessages,
    source: ByteSource,
    name: string,
    budget: MemoryBudget,
  ) {
    this.fields = readFields(schema, schemaBytes);
    this.metadata = readMetadata(schema);
    this.#parts = parts;
    this.#source = source;
    this.#name = name;
    this.#budget = budget;
    for (const { rows } of parts) {
      if (!(rows >= 0 && Number.isSafeInteger(rows))) throw new RangeError('a batch has no length');
    }
    this.groups = parts.filter(({ is }) => is === 'batch').map(({ rows }) => rows);
    this.rows = this.groups.reduce((sum, rows) => sum + rows, 0);
  }

  async read(positions: readonly number[], group?: number): Promise<Column[]> {
    const codecs = await loadCodecs(this.#parts.flatMap(({ codec }) => codec ?? []));
    return readFrom(this.columns(positions, group, codecs), this.#source);
  }

  columns(positions: readonly number[], group: number | undefined, codecs: Codecs): ByteReading<Column[]> {
    return guarded(this.#name, () => this.#columns(positions, group, codecs));
  }

  *#columns(positions: readonly number[], group: number | undefined, codecs: Codecs): ByteReading<Column[]> {
    const budget = group === undefined ? this.#budget : this.#budget.copy();
    const rows = group === undefined ? this.rows : this.groups[group]!;
    takeColumns(budget, rows, positions.length, this.#name);
    const wanted = new Set(positions);
    const dictionaries = new Map<number, Column>();
    const context = { codecs, budget, name: this.#name, dictionaries };
    const needed = dictionaryFields(positions.map((position) => this.fields[position]!));
    const pieces = positions.map(() => [] as Column[]);
    const inOrder = [...wanted].sort((a, b) => a - b);
    let batches = 0;
    for (const part of this.#parts) {
      if (part.is === 'dictionary') {
        const field = needed.get(part.id);
        if (field === undefined) continue;
        const [values] = readBatchColumns(yield* readPart(part), [field], () => true, context);
        const before = part.delta ? dictionaries.get(part.id) : undefined;
        dictionaries.set(part.id, before ? concat([before, values!]) : values!);
        continue;
      }
      const number = batches++;
      if (group !== undefined && number < group) continue;
      const batch = yield* this.#batch(part, group !== undefined, budget);
      const columns = readBatchColumns(batch, this.fields, (index) => wanted.has(index), context);
      const byPosition = new Map(inOrder.map((position, index) => [position, columns[index]!]));
      positions.forEach((position, index) => pieces[index]!.push(byPosition.get(position)!));
      if (number === group) break;
    }
    return positions.map((position, index) => {
      const columns = pieces[index]!;
      return columns.length > 0 ? concat(columns) : emptyColumn(this.fields[position]!);
    });
  }

  *#batch(part: ArrowPart, keep: boolean, budget: MemoryBudget): ByteReading<ArrowBatch> {
    if (this.#last?.part === part) return this.#last.batch;
    this.#last = undefined;
    if (!(this.#source instanceof BytesInMemory)) {
      budget.take(part.end - part.start, `a record batch of ${part.rows} rows`, this.#name);
    }
    const batch = yield* readPart(part);
    if (keep) this.#last = { part, batch };
    return batch;
  }
}

/** The fields that describe the dictionary values needed by `fields`, by dictionary id. */
function dictionaryFields(fields: readonly ArrowField[]): Map<number, ArrowField> {
  const found = new Map<number, ArrowField>();
  const visit = (field: ArrowField): void => {
    if (field.dictionary) found.set(field.dictionary.id, { ...field, dictionary: undefined });
    field.children.forEach(visit);
  };
  fields.forEach(visit);
  return found;
}

function emptyColumn({ kind, holds }: ArrowField): Column {
  switch (kind) {
    case 'numbers':
      return { kind, values: new Float64Array() };
    case 'booleans':
      return { kind, values: new Uint8Array() };
    case 'strings':
      return { kind, codes: new Int32Array(), dictionary: [] };
    case 'lists':
    case 'other':
      return { kind: 'other', holds, rows: 0 };
  }
}

/** Converts the RangeErrors and decoder errors that damaged bytes cause. */
function* guarded<T>(name: string, work: () => ByteReading<T>): ByteReading<T> {
  try {
    return yield* work();
  } catch (cause) {
    if (cause instanceof MagnitudeEdgeError) throw cause;
    const why = cause instanceof Error ? cause.message.replace(/\.$/, '') : String(cause);
    throw new MagnitudeEdgeError('invalid-data', `${name} is damaged, or is not Arrow IPC: ${why}.`, {
      details: { source: name },
      cause,
    });
  }
}
