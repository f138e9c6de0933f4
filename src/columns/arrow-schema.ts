import type { Column, FieldInfo } from './column.ts';
import type { FlatTable } from './flatbuffer.ts';

/** Physical layout of a column (Arrow columnar format 1.5), as far as a reader needs it. */
export type ArrowLayout =
  | { readonly is: 'null' }
  | { readonly is: 'int'; readonly bits: number; readonly signed: boolean }
  | { readonly is: 'float'; readonly bits: number }
  | { readonly is: 'decimal'; readonly bits: number; readonly scale: number }
  | { readonly is: 'bool' }
  | { readonly is: 'text'; readonly offsetBits: 32 | 64 }
  | { readonly is: 'text-view' }
  | { readonly is: 'fixed-list'; readonly width: number }
  | { readonly is: 'runs' }
  /** Not read: the number of buffers to skip; views have a variable number of further ones */
  | { readonly is: 'other'; readonly buffers: number; readonly views: boolean; readonly union: boolean };

export interface ArrowField extends FieldInfo {
  /** Layout of the values; of the dictionary's values if there is a dictionary */
  readonly layout: ArrowLayout;
  readonly children: readonly ArrowField[];
  readonly dictionary: { readonly id: number; readonly index: ArrowLayout } | undefined;
}

/** Deepest nesting of fields */
const mostDepth = 32;

/**
 * The fields of a schema.
 * @param mostFields most fields visited: a damaged tree may reach one field along very many paths
 * @throws RangeError if there are more
 */
export function readFields(schema: FlatTable, mostFields: number): ArrowField[] {
  if (schema.int16(0) !== 0) throw new RangeError('its numbers are big-endian');
  const remaining = { fields: mostFields };
  return schema.tables(1).map((field) => readField(field, remaining, 0));
}

/** The key-value pairs of a schema. */
export function readMetadata(schema: FlatTable): Map<string, string> {
  return new Map(schema.tables(2).map((pair) => [pair.string(0) ?? '', pair.string(1) ?? '']));
}

function readField(field: FlatTable, remaining: { fields: number }, depth: number): ArrowField {
  if (--remaining.fields < 0 || depth > mostDepth)
    throw new RangeError('its schema has too many nested fields');
  const children = field.tables(5).map((child) => readField(child, remaining, depth + 1));
  const [layout, holds] = layoutOf(field.uint8(2), field.table(3));
  const encoding = field.table(4);
  const index = encoding?.table(1);
  const dictionary = encoding && {
    id: encoding.int64(0),
    index: index ? intLayout(index) : ({ is: 'int', bits: 32, signed: true } as const),
  };
  return { name: field.string(0) ?? '', ...described(layout, holds, children), layout, children, dictionary };
}

function described(
  layout: ArrowLayout,
  holds: string,
  children: readonly ArrowField[],
): { kind: Column['kind']; holds: string } {
  switch (layout.is) {
    case 'null':
    case 'int':
    case 'float':
    case 'decimal':
      return { kind: 'numbers', holds };
    case 'bool':
      return { kind: 'booleans', holds };
    case 'text':
    case 'text-view':
      return { kind: 'strings', holds };
    case 'fixed-list':
      return { kind: 'lists', holds };
    case 'runs':
      return { kind: children[1]?.kind ?? 'other', holds: children[1]?.holds ?? holds };
    case 'other':
      return { kind: 'other', holds };
  }
}

function intLayout(type: FlatTable): ArrowLayout {
  return { is: 'int', bits: type.int32(0), signed: type.uint8(1) !== 0 };
}

/** The layout, by the union `Type` of Arrow's Schema.fbs, and what a column of the type holds, in words. */
function layoutOf(code: number, type: FlatTable | undefined): [ArrowLayout, string] {
  const other = (holds: string, buffers: number, views = false): [ArrowLayout, string] => [
    { is: 'other', buffers, views, union: code === 14 },
    holds,
  ];
  switch (code) {
    case 1:
      return [{ is: 'null' }, 'nothing'];
    case 2:
      return [type ? intLayout(type) : { is: 'int', bits: 0, signed: false }, 'numbers'];
    case 3:
      return [{ is: 'float', bits: 16 << (type?.int16(0) ?? 0) }, 'numbers'];
    case 4:
    case 19:
      return other('bytes', 3);
    case 5:
      return [{ is: 'text', offsetBits: 32 }, 'strings'];
    case 20:
      return [{ is: 'text', offsetBits: 64 }, 'strings'];
    case 24:
      return [{ is: 'text-view' }, 'strings'];
    case 6:
      return [{ is: 'bool' }, 'booleans'];
    case 7:
      return [{ is: 'decimal', bits: type?.int32(2, 128) ?? 128, scale: type?.int32(1) ?? 0 }, 'decimals'];
    case 8:
      return other('dates', 2);
    case 9:
      return other('times', 2);
    case 10:
      return other('timestamps', 2);
    case 11:
      return other('intervals', 2);
    case 12:
    case 21:
      return other('lists', 2);
    case 13:
      return other('structs', 1);
    case 14:
      return other('unions', type?.int16(0) === 1 ? 2 : 1);
    case 15:
      return other('bytes', 2);
    case 16:
      return [{ is: 'fixed-list', width: type?.int32(0) ?? 0 }, 'lists'];
    case 17:
      return other('maps', 2);
    case 18:
      return other('durations', 2);
    case 22:
      return [{ is: 'runs' }, 'runs'];
    case 23:
      return other('bytes', 2, true);
    case 25:
    case 26:
      return other('lists', 3);
    default:
      throw new RangeError(`it has a column of an unknown type (${code})`);
  }
}
