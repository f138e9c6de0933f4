import { readFile } from 'node:fs/promises';
import { zipSync } from 'fflate';
import { npzArrays } from './npz-arrays.ts';

/** The example's folder, as the page and the command read it. */
export const exampleFolder = new URL('../../demo/public/example/', import.meta.url);

/** A model without an edge mask, behind whose norm no magnitudes remain, with its data: 107 samples. */
export const layerNormFolder = new URL('../fixtures/models/layer-elu/', import.meta.url);

/** A file of the example, or of another folder, in the form in which Playwright takes files. */
export const exampleFile = async (name: string, folder = exampleFolder) => ({
  name,
  mimeType: 'application/octet-stream',
  buffer: await readFile(new URL(name, folder)),
});

/** Rows of one of the example's arrays. */
interface Rows {
  readonly columns: number;
  readonly values: Float32Array;
}

/**
 * The example's samples, repeated, as an archive of their own. Each copy is `growth` larger than the one before, so
 * that with a growth no two batches are equal.
 */
export async function repeatedExample(times: number, growth = 0) {
  return changedExample('long.npz', ({ columns, values }) => {
    const copies = Float32Array.from(
      { length: times * values.length },
      (_, at) => values[at % values.length]! * (1 + growth * Math.floor(at / values.length)),
    );
    return { columns, values: copies };
  });
}

/**
 * The example's samples with changed values or rows in the arrays x and y; as an archive, in the form in which
 * Playwright takes files.
 */
export async function changedExample(name: string, change: (rows: Rows, array: string) => Rows) {
  const arrays = npzArrays(await readFile(new URL('data.npz', exampleFolder)));
  const entries = Object.entries(arrays).map(([array, { shape, data }]) => {
    const { columns, values } = change({ columns: shape[1]!, values: Float32Array.from(data) }, array);
    const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${values.length / columns}, ${columns}), }`;
    const padded = header.padEnd(64 * Math.ceil((header.length + 11) / 64) - 11) + '\n';
    const lead = Buffer.concat([Buffer.from('\x93NUMPY\x01\x00', 'latin1'), Buffer.from([padded.length, 0])]);
    const npy = Buffer.concat([lead, Buffer.from(padded), Buffer.from(values.buffer)]);
    return [`${array}.npy`, new Uint8Array(npy)] as const;
  });
  const buffer = Buffer.from(zipSync(Object.fromEntries(entries), { level: 0 }));
  return { name, mimeType: 'application/octet-stream', buffer };
}
