/** A value in Thrift's compact protocol, used by Parquet for headers and metadata. */
export interface ThriftValue {
  /** The protocol's number of its type */
  readonly type: number;
  readonly bytes: readonly number[];
}

export function bool(value: boolean): ThriftValue {
  return { type: value ? 1 : 2, bytes: [] };
}

export function int8(value: number): ThriftValue {
  return { type: 3, bytes: [value] };
}

export function int32(value: number): ThriftValue {
  return { type: 5, bytes: zigZag(value) };
}

/** @param value a whole number below 2^52 */
export function int64(value: number): ThriftValue {
  return { type: 6, bytes: zigZag(value) };
}

export function binary(value: string | Uint8Array): ThriftValue {
  const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
  return { type: 8, bytes: [...varint(bytes.length), ...bytes] };
}

/** @param values of one type, at least one */
export function list(values: readonly ThriftValue[]): ThriftValue {
  const { type } = values[0]!;
  const head = values.length < 15 ? [(values.length << 4) | type] : [0xf0 | type, ...varint(values.length)];
  return { type: 9, bytes: head.concat(values.flatMap(({ bytes }) => bytes)) };
}

/** @param fields by field number, at most 15 apart; undefined fields are left out */
export function struct(fields: Readonly<Record<number, ThriftValue | undefined>>): ThriftValue {
  const bytes: number[] = [];
  let before = 0;
  // Integer keys are enumerated in ascending order.
  for (const [key, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    const id = Number(key);
    bytes.push(((id - before) << 4) | value.type);
    for (const byte of value.bytes) bytes.push(byte);
    before = id;
  }
  bytes.push(0);
  return { type: 12, bytes };
}

function zigZag(value: number): number[] {
  return varint(value < 0 ? -2 * value - 1 : 2 * value);
}

/** Seven bits per byte, lowest first. @param value a whole number from 0 to 2^53 */
export function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
  return bytes;
}
