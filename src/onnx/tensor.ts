import { MagnitudeEdgeError } from '../errors.ts';
import { DataType, dataTypeName, type ElementType } from './data-type.ts';
import type { Tensor } from './graph.ts';

/** The number of elements of a shape; 1 for a scalar. */
export function elementCount(dims: readonly number[]): number {
  return dims.reduce((count, size) => count * size, 1);
}

/** A float32 constant; `values` are copied. */
export function float32Tensor(dims: readonly number[], values: ArrayLike<number>): Tensor {
  return numericTensor(DataType.float32, dims, values);
}

/** An int64 constant from whole numbers below 2^53; `values` are copied. */
export function int64Tensor(dims: readonly number[], values: ArrayLike<number>): Tensor {
  return numericTensor(DataType.int64, dims, values);
}

interface ElementAccess {
  readonly size: number;
  readonly read: (view: DataView, offset: number) => number;
  readonly write: (view: DataView, offset: number, value: number) => void;
}

const access = new Map<ElementType, ElementAccess>([
  [
    DataType.float32,
    {
      size: 4,
      read: (v, o) => v.getFloat32(o, true),
      write: (v, o, x) => {
        v.setFloat32(o, x, true);
      },
    },
  ],
  [
    DataType.float64,
    {
      size: 8,
      read: (v, o) => v.getFloat64(o, true),
      write: (v, o, x) => {
        v.setFloat64(o, x, true);
      },
    },
  ],
  [
    DataType.int64,
    {
      size: 8,
      read: (v, o) => Number(v.getBigInt64(o, true)),
      write: (v, o, x) => {
        v.setBigInt64(o, toInt64(x), true);
      },
    },
  ],
  [
    DataType.uint64,
    {
      size: 8,
      read: (v, o) => Number(v.getBigUint64(o, true)),
      write: (v, o, x) => {
        v.setBigUint64(o, BigInt(x), true);
      },
    },
  ],
  [
    DataType.int32,
    {
      size: 4,
      read: (v, o) => v.getInt32(o, true),
      write: (v, o, x) => {
        v.setInt32(o, x, true);
      },
    },
  ],
  [
    DataType.uint32,
    {
      size: 4,
      read: (v, o) => v.getUint32(o, true),
      write: (v, o, x) => {
        v.setUint32(o, x, true);
      },
    },
  ],
  [
    DataType.int16,
    {
      size: 2,
      read: (v, o) => v.getInt16(o, true),
      write: (v, o, x) => {
        v.setInt16(o, x, true);
      },
    },
  ],
  [
    DataType.uint16,
    {
      size: 2,
      read: (v, o) => v.getUint16(o, true),
      write: (v, o, x) => {
        v.setUint16(o, x, true);
      },
    },
  ],
  [
    DataType.int8,
    {
      size: 1,
      read: (v, o) => v.getInt8(o),
      write: (v, o, x) => {
        v.setInt8(o, x);
      },
    },
  ],
  [
    DataType.uint8,
    {
      size: 1,
      read: (v, o) => v.getUint8(o),
      write: (v, o, x) => {
        v.setUint8(o, x);
      },
    },
  ],
  [
    DataType.bool,
    {
      size: 1,
      read: (v, o) => (v.getUint8(o) === 0 ? 0 : 1),
      write: (v, o, x) => {
        v.setUint8(o, x === 0 ? 0 : 1);
      },
    },
  ],
]);

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);

/** The nearest int64: ONNX uses the largest one for "to the end", which float64 cannot represent. */
function toInt64(value: number): bigint {
  if (value >= 2 ** 63) return INT64_MAX;
  if (value <= -(2 ** 63)) return INT64_MIN;
  return BigInt(value);
}

/** A constant of any plain number type; booleans are 0 and 1; `values` are copied. */
export function numericTensor(
  elementType: ElementType,
  dims: readonly number[],
  values: ArrayLike<number>,
): Tensor {
  const element = elementAccess(elementType);
  const bytes = new Uint8Array(values.length * element.size);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < values.length; i++) element.write(view, i * element.size, values[i]!);
  return { elementType, dims: [...dims], bytes };
}

/** Whether {@link tensorValues} can read the type. */
export function isNumericType(elementType: ElementType): boolean {
  return access.has(elementType);
}

/**
 * The elements of a constant as numbers, row-major. int64 beyond 2^53 is rounded.
 * Throws `invalid-model` for types that are not plain numbers (half precision, complex, strings).
 */
export function tensorValues(tensor: Tensor): number[] {
  const element = elementAccess(tensor.elementType);
  const view = new DataView(tensor.bytes.buffer, tensor.bytes.byteOffset, tensor.bytes.byteLength);
  const values = new Array<number>(elementCount(tensor.dims));
  for (let i = 0; i < values.length; i++) values[i] = element.read(view, i * element.size);
  return values;
}

/**
 * The elements of an int64 or int32 constant as int32, the type of indices; undefined if one does not fit in 32 bits or
 * the type is another.
 */
export function indexValues(tensor: Tensor): Int32Array | undefined {
  const { bytes, elementType } = tensor;
  // A copy: a tensor may start at any byte of its file, but a view of words has to be aligned.
  const words = new Int32Array(new Uint8Array(bytes).buffer, 0, bytes.byteLength >> 2);
  if (elementType === DataType.int32) return words;
  if (elementType !== DataType.int64) return undefined;
  const values = new Int32Array(words.length >> 1);
  for (let i = 0; i < values.length; i++) {
    values[i] = words[2 * i]!;
    if (words[2 * i + 1] !== values[i]! >> 31) return undefined;
  }
  return values;
}

/** A copy of the elements of a float32 constant. */
export function float32Values({ bytes }: Tensor): Float32Array {
  // Not bytes.slice(): for a Node Buffer it returns a view of the file.
  return new Float32Array(new Uint8Array(bytes).buffer);
}

function elementAccess(elementType: ElementType): ElementAccess {
  const found = access.get(elementType);
  if (found !== undefined) return found;
  throw new MagnitudeEdgeError(
    'invalid-model',
    `A constant of ${dataTypeName(elementType)} was found where plain numbers were expected.`,
  );
}
