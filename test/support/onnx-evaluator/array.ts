/** A float64 array of any rank, row-major: the reference evaluator uses it for everything, indices included. */
export interface NdArray {
  readonly dims: readonly number[];
  readonly data: Float64Array;
}

export function sizeOf(dims: readonly number[]): number {
  return dims.reduce((size, dim) => size * dim, 1);
}

export function ndArray(dims: readonly number[], data: ArrayLike<number>): NdArray {
  if (data.length !== sizeOf(dims)) throw new Error(`${data.length} elements for shape [${dims.join()}]`);
  return { dims, data: Float64Array.from(data) };
}

export function scalar(value: number): NdArray {
  return ndArray([], [value]);
}

export function filled(dims: readonly number[], value: number): NdArray {
  return { dims, data: new Float64Array(sizeOf(dims)).fill(value) };
}

/** Builds an array element by element, from each element's index along every axis. */
export function generate(dims: readonly number[], value: (index: readonly number[]) => number): NdArray {
  const result = filled(dims, 0);
  const index = dims.map(() => 0);
  for (let flat = 0; flat < result.data.length; flat++) {
    result.data[flat] = value(index);
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      if (++index[axis]! < dims[axis]!) break;
      index[axis] = 0;
    }
  }
  return result;
}

/** Calls `visit` with the index of every element. */
export function forEachIndex(dims: readonly number[], visit: (index: readonly number[]) => void): void {
  generate(dims, (index) => {
    visit(index);
    return 0;
  });
}

/** Position of an index in the data; axes of size 1 repeat, missing leading axes too (broadcasting). */
export function position({ dims }: NdArray, index: readonly number[]): number {
  let flat = 0;
  const skip = index.length - dims.length;
  for (let axis = 0; axis < dims.length; axis++) {
    flat = flat * dims[axis]! + (dims[axis] === 1 ? 0 : index[axis + skip]!);
  }
  return flat;
}

export function at(array: NdArray, index: readonly number[]): number {
  return array.data[position(array, index)]!;
}

export function broadcastDims(arrays: readonly NdArray[]): number[] {
  const rank = Math.max(...arrays.map(({ dims }) => dims.length));
  return Array.from({ length: rank }, (_, axis) => {
    const sizes = arrays.map(({ dims }) => dims[axis - rank + dims.length] ?? 1);
    const size = sizes.find((s) => s !== 1) ?? 1;
    if (sizes.some((s) => s !== 1 && s !== size)) throw new Error('shapes do not broadcast');
    return size;
  });
}

export function map(array: NdArray, f: (x: number) => number): NdArray {
  return { dims: array.dims, data: array.data.map(f) };
}

export function combine(arrays: readonly NdArray[], f: (...values: number[]) => number): NdArray {
  return generate(broadcastDims(arrays), (index) => f(...arrays.map((array) => at(array, index))));
}

export function reshape(array: NdArray, dims: readonly number[]): NdArray {
  return ndArray(dims, array.data);
}

export function transpose(array: NdArray, permutation: readonly number[]): NdArray {
  return generate(
    permutation.map((axis) => array.dims[axis]!),
    (index) => {
      const source = index.map(() => 0);
      permutation.forEach((axis, to) => (source[axis] = index[to]!));
      return at(array, source);
    },
  );
}

/** Collects the elements along `axes` for every index of the others; the result keeps the axes with size 1. */
export function reduce(array: NdArray, axes: readonly number[], f: (values: number[]) => number): NdArray {
  const groups = new Map<number, number[]>();
  const kept = filled(
    array.dims.map((size, axis) => (axes.includes(axis) ? 1 : size)),
    0,
  );
  forEachIndex(array.dims, (index) => {
    const group = position(kept, index);
    const values = groups.get(group) ?? [];
    values.push(at(array, index));
    groups.set(group, values);
  });
  for (const [group, values] of groups) kept.data[group] = f(values);
  return kept;
}
