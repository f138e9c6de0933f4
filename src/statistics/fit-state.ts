/** Arrays by name, one for each layer pair. */
export type StateArrays = ReadonlyMap<string, readonly (Float32Array | Float64Array)[]>;

/** State of a part of a fit besides the statistics, so that it can resume bit for bit. */
export interface FitState<Facts> {
  /** Everything that is not an array, as JSON */
  readonly facts: Facts;
  readonly arrays: StateArrays;
}

/** The arrays of a required name. @throws RangeError if they are missing */
export function stateArrays<T extends Float32Array | Float64Array>(
  arrays: StateArrays,
  name: string,
  type: new (length: number) => T,
): readonly T[] {
  const found = arrays.get(name);
  if (found?.every((array): array is T => array instanceof type)) return found;
  throw new RangeError(`its arrays '${name}' are missing`);
}

/** Arrays of records, one record for each layer pair, by their keys. */
export function arraysOfPairs<Key extends string>(
  prefix: string,
  keys: readonly Key[],
  pairs: readonly Readonly<Record<Key, Float64Array>>[],
): [string, Float64Array[]][] {
  return keys.map((key) => [prefix + key, pairs.map((pair) => pair[key])]);
}

/** The inverse of {@link arraysOfPairs}. @throws RangeError */
export function pairsOfArrays<Key extends string>(
  prefix: string,
  keys: readonly Key[],
  arrays: StateArrays,
): Record<Key, Float64Array>[] {
  const columns = keys.map((key) => stateArrays(arrays, prefix + key, Float64Array));
  return Array.from(
    columns[0] ?? [],
    (_, p) => Object.fromEntries(keys.map((key, k) => [key, columns[k]![p]!])) as Record<Key, Float64Array>,
  );
}
