import { float16 } from '../columns/float16.ts';
import { MagnitudeEdgeError } from '../errors.ts';

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/**
 * Upper bound on the bytes of a header written by NumPy: 64 KiB in version 1, and shapes are short in every version.
 */
export const npyHeaderBytes = 1 << 16;

/** Reads the element at a byte offset; width and byte order are the dtype's. */
type ReadElement = (view: DataView, offset: number, littleEndian: boolean) => number;

const readers: Readonly<Record<string, { readonly width: number; readonly read: ReadElement }>> = {
  f2: { width: 2, read: (view, offset, little) => float16(view.getUint16(offset, little)) },
  f4: { width: 4, read: (view, offset, little) => view.getFloat32(offset, little) },
  f8: { width: 8, read: (view, offset, little) => view.getFloat64(offset, little) },
  i1: { width: 1, read: (view, offset) => view.getInt8(offset) },
  i2: { width: 2, read: (view, offset, little) => view.getInt16(offset, little) },
  i4: { width: 4, read: (view, offset, little) => view.getInt32(offset, little) },
  i8: { width: 8, read: (view, offset, little) => Number(view.getBigInt64(offset, little)) },
  u1: { width: 1, read: (view, offset) => view.getUint8(offset) },
  u2: { width: 2, read: (view, offset, little) => view.getUint16(offset, little) },
  u4: { width: 4, read: (view, offset, little) => view.getUint32(offset, little) },
  u8: { width: 8, read: (view, offset, little) => Number(view.getBigUint64(offset, little)) },
  b1: { width: 1, read: (view, offset) => view.getUint8(offset) },
};

/** The header of a NumPy array file (format versions 1 to 3). */
export interface NpyHeader {
  /** The dtype, such as '<f4' */
  readonly descr: string;
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
  /** Byte offset of the elements */
  readonly dataOffset: number;
}

/** The matrix that a header declares; an array with one axis is a single column. */
export interface NpyMatrixShape {
  readonly rows: number;
  readonly columns: number;
  /** Bytes of an element */
  readonly width: number;
  /** Bytes of the whole file */
  readonly fileBytes: number;
}

/**
 * @param bytes the file, or its first {@link npyHeaderBytes}
 * @param name the array's name in error messages
 * @throws MagnitudeEdgeError `invalid-data`
 */
export function npyHeader(bytes: Uint8Array, name: string): NpyHeader {
  const refuse = refusing(name);
  if (bytes.length < 12 || magic.some((byte, index) => bytes[index] !== byte)) {
    return refuse('it is not a NumPy array file');
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = bytes[6]!;
  if (version < 1 || version > 3) refuse(`NumPy format version ${version} is unknown`);
  const lengthBytes = version === 1 ? 2 : 4;
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  const dataOffset = 8 + lengthBytes + length;
  if (dataOffset > bytes.length) refuse('its header is cut short');
  const header = new TextDecoder().decode(bytes.subarray(8 + lengthBytes, dataOffset));
  const descr = /'descr':\s*'([^']*)'/.exec(header)?.[1];
  const order = /'fortran_order':\s*(True|False)/.exec(header)?.[1];
  const shape = /'shape':\s*\(([^)]*)\)/.exec(header)?.[1];
  if (descr === undefined || order === undefined || shape === undefined) {
    return refuse('its dtype is structured or its header is damaged, a plain numeric array was expected');
  }
  const sizes = shape.split(',').flatMap((size) => (size.trim() === '' ? [] : [Number(size)]));
  if (!sizes.every((size) => Number.isSafeInteger(size) && size >= 0))
    refuse(`its shape (${shape}) is damaged`);
  return { descr, fortranOrder: order === 'True', shape: sizes, dataOffset };
}

/**
 * The matrix that a header declares, without its elements.
 * @throws MagnitudeEdgeError `invalid-data` for a dtype that is not a real number, or unless there are one or two axes
 */
export function npyMatrixShape({ descr, shape, dataOffset }: NpyHeader, name: string): NpyMatrixShape {
  const refuse = refusing(name);
  const reader = readers[descr.slice(1)];
  if (!reader) return refuse(`its dtype is '${descr}', a real number type was expected`);
  if (shape.length !== 1 && shape.length !== 2) {
    return refuse(`it has ${shape.length} axes, [samples, columns] was expected`);
  }
  const [rows = 0, columns = 1] = shape;
  const { width } = reader;
  return { rows, columns, width, fileBytes: dataOffset + rows * columns * width };
}

/**
 * Converts elements of a numeric dtype, in either byte order, to float32.
 * @param bytes the elements, starting with the first
 * @param into destination; every `stride`-th element from `at` on is written
 */
export function npyElements(
  bytes: Uint8Array,
  { descr }: NpyHeader,
  into: Float32Array,
  { at = 0, stride = 1 }: { at?: number; stride?: number } = {},
): void {
  const { width, read } = readers[descr.slice(1)]!;
  if (descr === '<f4' && stride === 1) {
    // A plain copy: eight times as fast as element by element.
    new Uint8Array(into.buffer, into.byteOffset, into.byteLength).set(bytes, 4 * at);
    return;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const littleEndian = !descr.startsWith('>');
  for (let offset = 0, to = at; offset < bytes.length; offset += width, to += stride) {
    into[to] = read(view, offset, littleEndian);
  }
}

/**
 * Reads a NumPy array file of strings with one axis: dtype '<U…' (UTF-32) or '|S…' (UTF-8).
 * @param name the array's name in error messages
 * @throws MagnitudeEdgeError `invalid-data`
 */
export function readNpyStrings(bytes: Uint8Array, name: string): string[] {
  const refuse = refusing(name);
  const header = npyHeader(bytes, name);
  const { descr, shape, dataOffset } = header;
  const [, order, kind, digits] = /^([<>|=])([US])(\d+)$/.exec(descr) ?? [];
  if (kind === undefined) {
    const wayOut = descr === '|O' ? '; np.array(names, dtype=str) makes one' : '';
    return refuse(`its dtype is '${descr}', strings ('<U…' or '|S…') were expected${wayOut}`);
  }
  if (shape.length !== 1) return refuse(`it has ${shape.length} axes, a list of names was expected`);
  const count = shape[0]!;
  const length = Number(digits);
  const width = kind === 'U' ? length * 4 : length;
  checkLength(bytes, dataOffset + count * width, header, name);
  // Empty strings take no bytes, so nothing backs their claimed number.
  if (width === 0 && count > 0) return refuse('its names are all empty');
  const view = new DataView(bytes.buffer, bytes.byteOffset + dataOffset, count * width);
  const decoder = new TextDecoder();
  return Array.from({ length: count }, (_, index) => {
    if (kind === 'S') {
      const text = decoder.decode(new Uint8Array(view.buffer, view.byteOffset + index * width, width));
      return text.replace(/\0+$/, '');
    }
    let text = '';
    for (let at = index * width; at < (index + 1) * width; at += 4) {
      const code = view.getUint32(at, order !== '>');
      if (code > 0x10ffff) return refuse(`name ${index} is damaged`);
      text += String.fromCodePoint(code);
    }
    return text.replace(/\0+$/, '');
  });
}

function checkLength(bytes: Uint8Array, expected: number, { shape, descr }: NpyHeader, name: string): void {
  if (bytes.byteLength >= expected) return;
  refusing(name)(
    `it is cut short: [${shape.join(', ')}] of '${descr}' needs a file of ${expected} bytes, but it has ${bytes.byteLength}`,
  );
}

function refusing(name: string): (why: string) => never {
  return (why) => {
    throw new MagnitudeEdgeError('invalid-data', `${name}: ${why}.`, { details: { source: name } });
  };
}
