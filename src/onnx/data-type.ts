/** Element types of ONNX tensors, numbered as in the file format. */
export const DataType = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  complex64: 14,
  complex128: 15,
  bfloat16: 16,
} as const;

/** The number of an element type; newer standards may define numbers that {@link DataType} does not name. */
export type ElementType = number;

const names = new Map<number, string>(Object.entries(DataType).map(([name, code]) => [code, name]));

const bits = new Map<number, number>([
  [DataType.float32, 32],
  [DataType.uint8, 8],
  [DataType.int8, 8],
  [DataType.uint16, 16],
  [DataType.int16, 16],
  [DataType.int32, 32],
  [DataType.int64, 64],
  [DataType.bool, 8],
  [DataType.float16, 16],
  [DataType.float64, 64],
  [DataType.uint32, 32],
  [DataType.uint64, 64],
  [DataType.complex64, 64],
  [DataType.complex128, 128],
  [DataType.bfloat16, 16],
  // float8 and float4 variants, packed sub-byte integers
  ...[17, 18, 19, 20, 24].map((code) => [code, 8] as const),
  ...[21, 22, 23].map((code) => [code, 4] as const),
  ...[25, 26].map((code) => [code, 2] as const),
  ...[27, 28].map((code) => [code, 6] as const),
]);

/** The name of an element type, for messages. */
export function dataTypeName(type: ElementType): string {
  return names.get(type) ?? `element type ${type}`;
}

/** Bits of one element in `raw_data`, or undefined for strings and for types that this package does not know. */
export function bitsPerElement(type: ElementType): number | undefined {
  return bits.get(type);
}

const floating = new Set<number>([DataType.float32, DataType.float16, DataType.float64, DataType.bfloat16]);

/** Whether values of the type can carry gradients. */
export function isFloatingPoint(type: ElementType): boolean {
  return floating.has(type);
}
