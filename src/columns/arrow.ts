import { MagnitudeEdgeError } from '../errors.ts';
import { readMessages, type ArrowMessages, type ArrowPart } from './arrow-messages.ts';
import { readFields, readMetadata, type ArrowField } from './arrow-schema.ts';
import { readBatchColumns } from './arrow-values.ts';
import { loadCodecs, type Codecs } from './codecs.ts';
import type { Column, ColumnFile } from './column.ts';
import { concat } from './column-parts.ts';
import { takeColumns, type MemoryBudget } from './memory-budget.ts';

/** An Arrow IPC file, which can also be read at once where nothing in it is compressed. */
export interface ArrowFile extends ColumnFile {
  /**
   * As `read`, at once.
   * @throws MagnitudeEdgeError as `read`, and `invalid-data` for a compressed file
   */
  readNow(positions: readonly number[]): Column[];
}

/**
 * Opens Arrow IPC, file or stream format, compressed or not. Columns are read by their logical types: 64-bit integers and
 * decimals as the nearest float64; dictionaries, runs and views as what they stand for. Own code rather than
 * apache-arrow's reader: that one believes the sizes in a file, gives bits for some types, and has no run-end encoding.
 *
 * @param name what messages call the file
 * @throws MagnitudeEdgeError `invalid-data` for damaged bytes
 */
export function openArrow(bytes: Uint8Array, name: string, budget: MemoryBudget): ArrowFile {
  return guarded(name, () => new OpenArrowFile(readMessages(bytes), name, budget));
}

class OpenArrowFile implements ArrowFile {
  readonly rows: number;
  readonly fields: readonly ArrowField[];
  readonly metadata: ReadonlyMap<string, string>;
  readonly #parts: readonly ArrowPart[];
  readonly #name: string;
  readonly #budget: MemoryBudget;

  constructor({ schema, schemaBytes, parts }: ArrowMessages, name: string, budget: MemoryBudget) {
    this.fields = readFields(schema, schemaBytes);
    this.metadata = readMetadata(schema);
    this.#parts = parts;
    this.#name = name;
    this.#budget = budget;
    this.rows = 0;
    for (const { is, batch } of parts) {
      if (!(batch.rows >= 0 && Number.isSafeInteger(batch.rows)))
        throw new RangeError('a batch has no length');
      if (is === 'batch') this.rows += batch.rows;
    }
  }

  async read(positions: readonly number[]): Promise<Column[]> {
    const codecs = await loadCodecs(this.#parts.flatMap(({ batch }) => batch.codec ?? []));
    return guarded(this.#name, () => this.#read(positions, codecs));
  }

  readNow(positions: readonly number[]): Column[] {
    return guarded(this.#name, () => this.#read(positions, new Map()));
  }

  #read(positions: readonly number[], codecs: Codecs): Column[] {
    takeColumns(this.#budget, this.rows, positions.length, this.#name);
    const wanted = new Set(positions);
    const dictionaries = new Map<number, Column>();
    const context = { codecs, budget: this.#budget, name: this.#name, dictionaries };
    const needed = dictionaryFields(positions.map((position) => this.fields[position]!));
    const pieces = positions.map(() => [] as Column[]);
    const inOrder = [...wanted].sort((a, b) => a - b);
    for (const part of this.#parts) {
      if (part.is === 'dictionary') {
        const field = needed.get(part.id);
        if (field === undefined) continue;
        const [values] = readBatchColumns(part.batch, [field], () => true, context);
        const before = part.delta ? dictionaries.get(part.id) : undefined;
        dictionaries.set(part.id, before ? concat([before, values!]) : values!);
        continue;
      }
      const columns = readBatchColumns(part.batch, this.fields, (index) => wanted.has(index), context);
      const byPosition = new Map(inOrder.map((position, index) => [position, columns[index]!]));
      positions.forEach((position, index) => pieces[index]!.push(byPosition.get(position)!));
    }
    return positions.map((position, index) => {
      const columns = pieces[index]!;
      return columns.length > 0 ? concat(columns) : emptyColumn(this.fields[position]!);
    });
  }
}

/** The fields that describe the values of the dictionaries that fields need, by id. */
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

/** Damaged bytes run into RangeErrors, and into errors of decoders. */
function guarded<T>(name: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof MagnitudeEdgeError) throw cause;
    const why = cause instanceof Error ? cause.message.replace(/\.$/, '') : String(cause);
    throw new MagnitudeEdgeError('invalid-data', `${name} is damaged, or is not Arrow IPC: ${why}.`, {
      details: { source: name },
      cause,
    });
  }
}
