import { MagnitudeEdgeError } from '../errors.ts';
import type { Matrix } from './matrix.ts';

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/** Reads element `index` of a file's data; widths and byte order are the dtype's. */
type ReadElement = (view: DataView, offset: number, littleEndian: boolean) => number;

const readers: Readonly<Record<string, { readonly width: number; readonly read: ReadElement }>> = {
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

interface NpyHeader {
  readonly descr: string;
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
  readonly dataOffset: number;
}

/**
 * Reads a NumPy array file (format versions 1 to 3, numeric dtypes of either byte order, C or Fortran order) as a
 * float32 matrix. One axis is read as a single column.
 * @param name what messages call the array
 * @throws MagnitudeEdgeError `invalid-data`
 */
export function readNpy(bytes: Uint8Array, name: string): Matrix {
  const refuse = (why: string): never => {
    throw new MagnitudeEdgeError('invalid-data', `${name}: ${why}.`, { details: { source: name } });
  };
  const { descr, fortranOrder, shape, dataOffset } = readHeader(bytes, refuse);
  const reader = readers[descr.slice(1)];
  if (!reader) return refuse(`its dtype is '${descr}', a real number type was expected`);
  if (shape.length !== 1 && shape.length !== 2) {
    return refuse(`it has ${shape.length} axes, [samples, columns] was expected`);
  }
  const [rows = 0, columns = 1] = shape;
  const found = bytes.byteLength - dataOffset;
  const expected = rows * columns * reader.width;
  if (found < expected) {
    return refuse(
      `it is cut short: [${shape.join(', ')}] of '${descr}' is ${expected} bytes, ${found} are there`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset + dataOffset, expected);
  const values = new Float32Array(rows * columns);
  const littleEndian = !descr.startsWith('>');
  const { width, read } = reader;
  for (let row = 0, index = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, index++) {
      values[index] = read(view, (fortranOrder ? column * rows + row : index) * width, littleEndian);
    }
  }
  return { rows, columns, values };
}

function readHeader(bytes: Uint8Array, refuse: (why: string) => never): NpyHeader {
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
