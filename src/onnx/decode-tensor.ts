import { MagnitudeEdgeError } from '../errors.ts';
import { bitsPerElement, DataType, dataTypeName } from './data-type.ts';
import type { Tensor } from './graph.ts';
import type { TensorProto } from './schema/onnx_pb.ts';
import { elementCount, numericTensor } from './tensor.ts';

/** Contents of a model's external weight files, by the `location` that the model names. */
export type ExternalData = Readonly<Record<string, Uint8Array>>;

const EXTERNAL = 1;

/**
 * Decodes a constant. Never allocates more than the file holds: the shape is checked against the bytes present. Raw
 * data is borrowed, typed fields are copied.
 */
export function decodeTensor(proto: TensorProto, externalData: ExternalData): Tensor {
  const label = proto.name === '' ? 'A constant' : `Constant '${proto.name}'`;
  const dims = proto.dims.map(Number);
  const count = elementCount(dims);
  if (dims.some((size) => size < 0) || !Number.isSafeInteger(count)) {
    throw new MagnitudeEdgeError('invalid-model', `${label} has the impossible shape [${dims.join(', ')}].`);
  }
  if (proto.segment !== undefined) {
    throw new MagnitudeEdgeError(
      'invalid-model',
      `${label} is stored in segments, which this reader does not support.`,
    );
  }
  const elementType = proto.dataType;
  if (elementType === DataType.string) {
    requireCount(label, dims, count, proto.stringData.length);
    return { elementType, dims, bytes: new Uint8Array(), strings: proto.stringData };
  }
  const bits = bitsPerElement(elementType);
  if (bits === undefined) {
    throw new MagnitudeEdgeError('invalid-model', `${label} has the unknown ${dataTypeName(elementType)}.`);
  }
  const bytes = rawBytes(proto, label, externalData);
  if (bytes !== undefined) {
    const expected = Math.ceil((count * bits) / 8);
    if (bytes.byteLength !== expected) {
      throw new MagnitudeEdgeError(
        'invalid-model',
        `${label} has shape [${dims.join(', ')}] of ${dataTypeName(elementType)}, which takes ${expected} bytes, but holds ${bytes.byteLength}.`,
      );
    }
    return { elementType, dims, bytes };
  }
  return typedTensor(proto, label, dims, count);
}

function rawBytes(proto: TensorProto, label: string, externalData: ExternalData): Uint8Array | undefined {
  if (proto.dataLocation !== EXTERNAL) return proto.rawData.byteLength > 0 ? proto.rawData : undefined;
  const entries = new Map(proto.externalData.map(({ key, value }) => [key, value]));
  const location = entries.get('location') ?? '';
  const file = Object.hasOwn(externalData, location) ? externalData[location] : undefined;
  if (file === undefined) {
    throw new MagnitudeEdgeError(
      'invalid-model',
      `${label} lies in the external file '${location}', which was not supplied.`,
      { details: { location } },
    );
  }
  const offset = Number(entries.get('offset') ?? 0);
  const length = Number(entries.get('length') ?? file.byteLength - offset);
  if (!(offset >= 0 && length >= 0 && offset + length <= file.byteLength)) {
    throw new MagnitudeEdgeError(
      'invalid-model',
      `${label} claims bytes ${offset} to ${offset + length} of the external file '${location}', which holds ${file.byteLength}.`,
      { details: { location } },
    );
  }
  return file.subarray(offset, offset + length);
}

/** The fields other than raw_data: which one holds the elements depends on the type (onnx.proto, TensorProto). */
function typedTensor(proto: TensorProto, label: string, dims: number[], count: number): Tensor {
  const { dataType } = proto;
  switch (dataType) {
    case DataType.float32:
      requireCount(label, dims, count, proto.floatData.length);
      return numericTensor(dataType, dims, proto.floatData);
    case DataType.float64:
      requireCount(label, dims, count, proto.doubleData.length);
      return numericTensor(dataType, dims, proto.doubleData);
    case DataType.int64:
      requireCount(label, dims, count, proto.int64Data.length);
      return { elementType: dataType, dims, bytes: bytesOf(BigInt64Array.from(proto.int64Data)) };
    case DataType.uint64:
      requireCount(label, dims, count, proto.uint64Data.length);
      return { elementType: dataType, dims, bytes: bytesOf(BigUint64Array.from(proto.uint64Data)) };
    case DataType.uint32:
      requireCount(label, dims, count, proto.uint64Data.length);
      return numericTensor(dataType, dims, proto.uint64Data.map(Number));
    case DataType.int32:
    case DataType.int16:
    case DataType.uint16:
    case DataType.int8:
    case DataType.uint8:
    case DataType.bool:
      requireCount(label, dims, count, proto.int32Data.length);
      return numericTensor(dataType, dims, proto.int32Data);
    case DataType.float16:
    case DataType.bfloat16:
      requireCount(label, dims, count, proto.int32Data.length);
      return { elementType: dataType, dims, bytes: bytesOf(Uint16Array.from(proto.int32Data)) };
    default:
      if (count === 0) return { elementType: dataType, dims, bytes: new Uint8Array() };
      throw new MagnitudeEdgeError(
        'invalid-model',
        `${label} of ${dataTypeName(dataType)} is not stored as raw data, the only form read for that type.`,
      );
  }
}

/** Every platform that runs WebAssembly stores typed arrays little-endian, as the file format does. */
function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

function requireCount(label: string, dims: readonly number[], expected: number, found: number): void {
  if (expected === found) return;
  throw new MagnitudeEdgeError(
    'invalid-model',
    `${label} has shape [${dims.join(', ')}], ${expected} elements, but holds ${found}.`,
  );
}
