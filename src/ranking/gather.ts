/** `values[at[k]]` for each k, in an array of the same type. */
export function gather<T extends Float64Array | Float32Array | Uint32Array>(values: T, at: Uint32Array): T {
  const picked = new (values.constructor as new (length: number) => T)(at.length);
  for (let k = 0; k < at.length; k++) picked[k] = values[at[k]!]!;
  return picked;
}
