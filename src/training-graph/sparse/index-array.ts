/** An array of integers of any rank, row-major: the source of each element of a value. */
export interface IndexArray {
  readonly dims: readonly number[];
  readonly data: Int32Array;
}

export function sizeOf(dims: readonly number[]): number {
  return dims.reduce((size, dim) => size * dim, 1);
}

/** 0, 1, 2, ... up to `count - 1`. */
export function counted(count: number): Int32Array {
  const data = new Int32Array(count);
  for (let i = 0; i < count; i++) data[i] = i;
  return data;
}

/** 0, 1, 2, ... in the given shape. */
export function positions(dims: readonly number[]): IndexArray {
  return { dims, data: counted(sizeOf(dims)) };
}

function strides(dims: readonly number[]): number[] {
  const result = Array<number>(dims.length);
  let step = 1;
  for (let axis = dims.length - 1; axis >= 0; axis--) {
    result[axis] = step;
    step *= dims[axis]!;
  }
  return result;
}

/** An array of shape `dims` whose element at an index is `array.data[offset + index . steps]`. */
function strided(array: IndexArray, dims: readonly number[], steps: readonly number[]): IndexArray {
  const data = new Int32Array(sizeOf(dims));
  const index = dims.map(() => 0);
  let at = 0;
  for (let i = 0; i < data.length; i++) {
    data[i] = array.data[at]!;
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      at += steps[axis]!;
      if (++index[axis]! < dims[axis]!) break;
      at -= steps[axis]! * dims[axis]!;
      index[axis] = 0;
    }
  }
  return { dims, data };
}

export function transposed(array: IndexArray, permutation: readonly number[]): IndexArray {
  const own = strides(array.dims);
  return strided(
    array,
    permutation.map((axis) => array.dims[axis]!),
    permutation.map((axis) => own[axis]!),
  );
}

/** Repeats axes of size 1 and adds leading axes; undefined if the shapes do not fit. */
export function broadcastTo(array: IndexArray, dims: readonly number[]): IndexArray | undefined {
  const skip = dims.length - array.dims.length;
  if (skip < 0) return undefined;
  const own = strides(array.dims);
  const steps = dims.map((size, axis) => {
    const from = array.dims[axis - skip] ?? 1;
    if (from !== 1 && from !== size) return NaN;
    return from === 1 ? 0 : own[axis - skip]!;
  });
  return steps.some(Number.isNaN) ? undefined : strided(array, dims, steps);
}

/** Elements at `indices` along one axis, in the shape of the indices. */
export function gathered(array: IndexArray, axis: number, indices: IndexArray): IndexArray {
  const [outer, inner] = [sizeOf(array.dims.slice(0, axis)), sizeOf(array.dims.slice(axis + 1))];
  const size = array.dims[axis]!;
  const data = new Int32Array(outer * indices.data.length * inner);
  let to = 0;
  for (let o = 0; o < outer; o++) {
    for (const index of indices.data) {
      const from = (o * size + index) * inner;
      for (let i = 0; i < inner; i++) data[to++] = array.data[from + i]!;
    }
  }
  return { dims: [...array.dims.slice(0, axis), ...indices.dims, ...array.dims.slice(axis + 1)], data };
}

export function concatenated(arrays: readonly IndexArray[], axis: number): IndexArray {
  const outer = sizeOf(arrays[0]!.dims.slice(0, axis));
  const widths = arrays.map(({ dims }) => sizeOf(dims.slice(axis)));
  const total = arrays.reduce((sum, { dims }) => sum + dims[axis]!, 0);
  const dims = arrays[0]!.dims.map((size, a) => (a === axis ? total : size));
  const data = new Int32Array(sizeOf(dims));
  let to = 0;
  for (let o = 0; o < outer; o++) {
    arrays.forEach((array, i) => {
      data.set(array.data.subarray(o * widths[i]!, (o + 1) * widths[i]!), to);
      to += widths[i]!;
    });
  }
  return { dims, data };
}
