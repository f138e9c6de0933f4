import { unzipSync } from 'fflate';

/** An array of a NumPy archive, in C order, as float64 (exact for every dtype that the fixtures use). */
export interface NpyArray {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

const element: Record<string, [bytes: number, read: (view: DataView, at: number) => number]> = {
  '<f4': [4, (view, at) => view.getFloat32(at, true)],
  '<f8': [8, (view, at) => view.getFloat64(at, true)],
  '<i4': [4, (view, at) => view.getInt32(at, true)],
  '<i8': [8, (view, at) => Number(view.getBigInt64(at, true))],
};

/** All arrays of an `.npz` file by name: fixtures written by numpy, any number of axes. */
export function npzArrays(bytes: Uint8Array): Record<string, NpyArray> {
  return Object.fromEntries(
    Object.entries(unzipSync(bytes)).map(([file, npy]) => [file.replace(/\.npy$/, ''), npyArray(npy)]),
  );
}

function npyArray(npy: Uint8Array): NpyArray {
  const view = new DataView(npy.buffer, npy.byteOffset, npy.byteLength);
  const headerLength = view.getUint16(8, true);
  const header = new TextDecoder().decode(npy.subarray(10, 10 + headerLength));
  const dtype = /'descr': '([^']+)'/.exec(header)?.[1] ?? '';
  const known = element[dtype];
  if (known === undefined || header.includes("'fortran_order': True"))
    throw new Error(`fixture dtype ${header}`);
  const shape = (/'shape': \(([^)]*)\)/.exec(header)?.[1] ?? '')
    .split(',')
    .filter((s) => s.trim())
    .map(Number);
  const [width, read] = known;
  const length = shape.reduce((product, size) => product * size, 1);
  const data = Float64Array.from({ length }, (_, k) => read(view, 10 + headerLength + k * width));
  return { shape, data };
}
