import type { ArrowBatch } from './arrow-messages.ts';
import type { ArrowField, ArrowLayout } from './arrow-schema.ts';
import type { Codecs } from './codecs.ts';
import type { Column, NumberArray } from './column.ts';
import { take } from './column-parts.ts';
import { decimalReader } from './decimal.ts';
import { float16 } from './float16.ts';
import type { MemoryBudget } from './memory-budget.ts';

/** What reading values needs in addition to a batch. */
export interface ArrowContext {
  readonly codecs: Codecs;
  readonly budget: MemoryBudget;
  /** The file's name in error messages */
  readonly name: string;
  /** Values of each dictionary, by id */
  readonly dictionaries: ReadonlyMap<number, Column>;
}

/**
 * Reads columns of a record batch, or the values of a dictionary.
 *
 * @param wanted whether to read a top-level field; the others are skipped
 * @returns the wanted columns, in field order
 * @throws RangeError for damaged batches
 */
export function readBatchColumns(
  batch: ArrowBatch,
  fields: readonly ArrowField[],
  wanted: (index: number) => boolean,
  context: ArrowContext,
): Column[] {
  const reader = new BatchReader(batch, context);
  return fields.flatMap((field, index) => {
    if (wanted(index)) return [reader.read(field, batch.rows)];
    reader.skip(field);
    return [];
  });
}

/** Reads the fields of a batch in order; their nodes and buffers are listed depth first. */
class BatchReader {
  readonly #batch: ArrowBatch;
  readonly #context: ArrowContext;
  #node = 0;
  #buffer = 0;
  #variadic = 0;

  constructor(batch: ArrowBatch, context: ArrowContext) {
    this.#batch = batch;
    this.#context = context;
  }

  skip(field: ArrowField): void {
    this.#node++;
    const layout = field.dictionary ? field.dictionary.index : field.layout;
    this.#buffer += bufferCount(layout);
    if (layout.is === 'other' && layout.union && this.#batch.unionsHaveValidity) this.#buffer++;
    if (layout.is === 'text-view' || (layout.is === 'other' && layout.views)) {
      this.#buffer += this.#nextVariadic();
    }
    if (!field.dictionary) for (const child of field.children) this.skip(child);
  }

  /** @param rows number of rows that the field must have; undefined for run ends, which have their own length */
  read(field: ArrowField, rows: number | undefined): Column {
    const node = this.#batch.nodes[this.#node++];
    if (node === undefined) throw new RangeError('a column of a batch is missing');
    const [length, nulls] = node as [number, number];
    if (rows !== undefined && length !== rows)
      throw new RangeError('the columns of a batch differ in length');
    if (!(length >= 0 && Number.isSafeInteger(length))) throw new RangeError('a column has no length');
    const { layout, dictionary } = field;
    if (dictionary) {
      const values = this.#context.dictionaries.get(dictionary.id);
      if (values === undefined) throw new RangeError(`its dictionary ${dictionary.id} is missing`);
      const indices = this.#plain(dictionary.index, length, nulls);
      if (indices.kind !== 'numbers') throw new RangeError('the indices of a dictionary are not integers');
      return take(values, indicesOf(indices));
    }
    switch (layout.is) {
      case 'runs':
        return this.#runs(field, length);
      case 'fixed-list': {
        this.#nextBuffer();
        if (nulls !== 0) throw new RangeError('a list is null');
        const items = this.read(field.children[0]!, length * layout.width);
        return { kind: 'lists', rows: length, width: layout.width, items };
      }
      default:
        return this.#plain(layout, length, nulls);
    }
  }

  /** A column without children. */
  #plain(layout: ArrowLayout, length: number, nulls: number): Column {
    if (layout.is === 'null') {
      this.#take(9 * length);
      return { kind: 'numbers', values: new Float64Array(length).fill(NaN), valid: new Uint8Array(length) };
    }
    const validity = this.#nextBuffer();
    const valid = nulls === 0 ? undefined : bits(validity, length);
    switch (layout.is) {
      case 'bool':
        return { kind: 'booleans', values: bits(this.#nextBuffer(), length), valid };
      case 'int':
      case 'float':
      case 'decimal':
        return { kind: 'numbers', values: numbers(layout, this.#nextBuffer(), length), valid };
      case 'text': {
        const offsets = this.#nextBuffer();
        const texts = offsetTexts(layout.offsetBits, offsets, this.#nextBuffer(), length);
        return stringColumn(length, valid, texts);
      }
      case 'text-view': {
        const views = this.#nextBuffer();
        const buffers = Array.from({ length: this.#nextVariadic() }, () => this.#nextBuffer());
        return stringColumn(length, valid, viewTexts(views, buffers, length));
      }
      default:
        throw new RangeError('a column cannot be read');
    }
  }

  /** Run-end encoding: each value, and the row before which its run ends. */
  #runs(field: ArrowField, length: number): Column {
    const [endField, valueField] = field.children;
    if (endField === undefined || valueField === undefined)
      throw new RangeError('a run-end encoded column has no values');
    const ends = this.read(endField, undefined);
    if (ends.kind !== 'numbers') throw new RangeError('a run-end encoded column has no run ends');
    const values = this.read(valueField, ends.values.length);
    this.#take(12 * length);
    const indices = new Int32Array(length);
    let row = 0;
    for (let run = 0; run < ends.values.length && row < length; run++) {
      const end = Math.min(ends.values[run]!, length);
      if (!(end > row)) throw new RangeError('the run ends of a column do not increase');
      indices.fill(run, row, end);
      row = end;
    }
    if (row < length) throw new RangeError('the runs of a column end before its last row');
    return take(values, indices);
  }

  #nextBuffer(): Uint8Array {
    const place = this.#batch.buffers[this.#buffer++];
    if (place === undefined) throw new RangeError('a buffer of a batch is missing');
    const [offset, length] = place as [number, number];
    const { body, codec } = this.#batch;
    if (!(offset >= 0 && length >= 0 && offset + length <= body.length)) {
      throw new RangeError('a buffer extends beyond its batch');
    }
    const bytes = body.subarray(offset, offset + length);
    if (codec === undefined || length === 0) return bytes;
    const unpacked = Number(new DataView(bytes.buffer, bytes.byteOffset, length).getBigInt64(0, true));
    const packed = bytes.subarray(8);
    // -1 marks a buffer left uncompressed because it would not have shrunk.
    if (unpacked === -1) return packed;
    if (!(unpacked >= 0)) throw new RangeError('a buffer has no length');
    this.#take(unpacked);
    const decompress = this.#context.codecs.get(codec);
    if (decompress === undefined) {
      throw new RangeError(`its compression (${codec}) cannot be read here; write it without compression`);
    }
    return decompress(packed, unpacked);
  }

  #nextVariadic(): number {
    const count = this.#batch.variadic[this.#variadic++]?.[0];
    if (count === undefined || !(count >= 0 && count <= this.#batch.buffers.length)) {
      throw new RangeError('a column of views has no buffers');
    }
    return count;
  }

  #take(bytes: number): void {
    this.#context.budget.take(bytes, 'one of its columns', this.#context.name);
  }
}

function bufferCount(layout: ArrowLayout): number {
  switch (layout.is) {
    case 'null':
    case 'runs':
      return 0;
    case 'fixed-list':
      return 1;
    case 'text':
      return 3;
    case 'other':
      return layout.buffers;
    default:
      return 2;
  }
}

/** Unpacks one bit per row to one byte per row. */
function bits(bytes: Uint8Array, length: number): Uint8Array {
  checkLength(bytes, Math.ceil(length / 8));
  return Uint8Array.from({ length }, (_, row) => (bytes[row >> 3]! >> (row & 7)) & 1);
}

function numbers(layout: ArrowLayout, bytes: Uint8Array, length: number): NumberArray {
  const view = <T>(Type: ArrayType<T>): T => {
    checkLength(bytes, length * Type.BYTES_PER_ELEMENT);
    const from = bytes.byteOffset % Type.BYTES_PER_ELEMENT === 0 ? bytes : bytes.slice();
    return new Type(from.buffer, from.byteOffset, length);
  };
  if (layout.is === 'float') {
    switch (layout.bits) {
      case 16:
        return Float32Array.from(view(Uint16Array), float16);
      case 32:
        return view(Float32Array);
      case 64:
        return view(Float64Array);
    }
  }
  if (layout.is === 'int') {
    switch (layout.bits) {
      case 8:
        return layout.signed ? view(Int8Array) : view(Uint8Array);
      case 16:
        return layout.signed ? view(Int16Array) : view(Uint16Array);
      case 32:
        return layout.signed ? view(Int32Array) : view(Uint32Array);
      case 64: {
        const wide = layout.signed ? view(BigInt64Array) : view(BigUint64Array);
        return Float64Array.from({ length }, (_, row) => Number(wide[row]!));
      }
    }
  }
  if (layout.is === 'decimal' && layout.bits % 32 === 0 && layout.bits <= 256) {
    return decimals(layout.bits, layout.scale, bytes, length);
  }
  throw new RangeError('it has numbers of an unknown width');
}

interface ArrayType<T> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): T;
}

function decimals(width: number, scale: number, bytes: Uint8Array, length: number): Float64Array {
  checkLength(bytes, (length * width) / 8);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const toNumber = decimalReader(scale);
  return Float64Array.from({ length }, (_, row) => {
    const at = (row * width) / 8;
    if (width === 32) return toNumber(view.getInt32(at, true));
    let value = 0n;
    for (let word = width / 64 - 1; word >= 0; word--) {
      value = (value << 64n) | view.getBigUint64(at + 8 * word, true);
    }
    return toNumber(BigInt.asIntN(width, value));
  });
}

/** Dictionary index of each row; -1 for null. */
function indicesOf({ values, valid }: { values: NumberArray; valid?: Uint8Array | undefined }): Int32Array {
  return Int32Array.from({ length: values.length }, (_, row) => {
    if (valid?.[row] === 0) return -1;
    const index = values[row]!;
    if (!(index >= 0 && index < 2 ** 31))
      throw new RangeError(`a dictionary index is ${index}, which is out of range`);
    return index;
  });
}

type TextAt = (row: number) => Uint8Array;

function offsetTexts(
  offsetBits: 32 | 64,
  offsetBytes: Uint8Array,
  bytes: Uint8Array,
  length: number,
): TextAt {
  // A column without rows may have no offsets at all.
  if (length === 0) return () => bytes;
  const offsets = numbers({ is: 'int', bits: offsetBits, signed: true }, offsetBytes, length + 1);
  return (row) => {
    const [start, end] = [offsets[row]!, offsets[row + 1]!];
    if (!(start >= 0 && start <= end && end <= bytes.length))
      throw new RangeError('a string extends beyond its column');
    return bytes.subarray(start, end);
  };
}

/** A view has 16 bytes: the length, then the text if it fits, else the buffer's index and the text's offset in it. */
function viewTexts(views: Uint8Array, buffers: readonly Uint8Array[], length: number): TextAt {
  checkLength(views, length * 16);
  const view = new DataView(views.buffer, views.byteOffset, views.byteLength);
  return (row) => {
    const at = row * 16;
    const size = view.getInt32(at, true);
    if (size >= 0 && size <= 12) return views.subarray(at + 4, at + 4 + size);
    const buffer = buffers[view.getInt32(at + 8, true)];
    const start = view.getInt32(at + 12, true);
    if (buffer === undefined || size < 0 || start < 0 || start + size > buffer.length) {
      throw new RangeError('a string lies outside the file');
    }
    return buffer.subarray(start, start + size);
  };
}

function stringColumn(length: number, valid: Uint8Array | undefined, textAt: TextAt): Column {
  const decoder = new TextDecoder();
  const codeOf = new Map<string, number>();
  const codes = Int32Array.from({ length }, (_, row) => {
    if (valid?.[row] === 0) return -1;
    const text = decoder.decode(textAt(row));
    let code = codeOf.get(text);
    if (code === undefined) {
      code = codeOf.size;
      codeOf.set(text, code);
    }
    return code;
  });
  return { kind: 'strings', codes, dictionary: [...codeOf.keys()] };
}

function checkLength(bytes: Uint8Array, least: number): void {
  if (bytes.length < least) throw new RangeError('a buffer is shorter than its column');
}
