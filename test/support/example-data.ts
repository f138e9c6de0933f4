import { readFile } from 'node:fs/promises';
import { zipSync } from 'fflate';
import { npzArrays } from './npz-arrays.ts';

/** The example's folder, as the page and the command read it. */
export const exampleFolder = new URL('../../demo/public/example/', import.meta.url);

/** A file of the example, as Playwright takes files. */
export const exampleFile = async (name: string) => ({
  name,
  mimeType: 'application/octet-stream',
  buffer: await readFile(new URL(name, exampleFolder)),
});

/**
 * The example's samples so many times over, as an archive of its own. Each copy is `growth` larger than the one before,
 * so that with a growth no two batches are alike.
 */
export async function repeatedExample(times: number, growth = 0) {
  const arrays = npzArrays(await readFile(new URL('data.npz', exampleFolder)));
  const entries = Object.entries(arrays).map(([name, { shape, data }]) => {
    const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape[0]! * times}, ${shape[1]!}), }`;
    const padded = header.padEnd(64 * Math.ceil((header.length + 11) / 64) - 11) + '\n';
    const lead = Buffer.concat([Buffer.from('\x93NUMPY\x01\x00', 'latin1'), Buffer.from([padded.length, 0])]);
    const copies = Array.from({ length: times }, (_, copy) =>
      Buffer.from(Float32Array.from(data, (value) => value * (1 + growth * copy)).buffer),
    );
    const npy = Buffer.concat([lead, Buffer.from(padded), ...copies]);
    return [`${name}.npy`, new Uint8Array(npy)] as const;
  });
  const buffer = Buffer.from(zipSync(Object.fromEntries(entries), { level: 0 }));
  return { name: 'long.npz', mimeType: 'application/octet-stream', buffer };
}
