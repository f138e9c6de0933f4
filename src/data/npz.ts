import { unzipSync } from 'fflate';
import { MagnitudeEdgeError } from '../errors.ts';
import type { Samples } from './matrix.ts';
import { readNpy } from './npy.ts';

/**
 * Reads the arrays `x` `[samples, inputs]` and `y` `[samples, outputs]` of a NumPy archive (`numpy.savez` or
 * `numpy.savez_compressed`).
 * @param name what messages call the file
 * @throws MagnitudeEdgeError `invalid-data`
 */
export function readNpz(bytes: Uint8Array, name: string): Samples {
  const members: string[] = [];
  let files: Record<string, Uint8Array>;
  try {
    files = unzipSync(bytes, {
      filter: (file) => {
        members.push(file.name);
        return file.name === 'x.npy' || file.name === 'y.npy';
      },
    });
  } catch (cause) {
    throw new MagnitudeEdgeError('invalid-data', `${name} is a damaged .npz archive.`, {
      details: { source: name },
      cause,
    });
  }
  const read = (array: string): Samples['x'] => {
    const file = files[`${array}.npy`];
    if (file) return readNpy(file, `${name}, array ${array}`);
    const found = members.map((member) => member.replace(/\.npy$/, '')).join(', ') || 'no arrays';
    throw new MagnitudeEdgeError('invalid-data', `${name} has no array '${array}'; it holds ${found}.`, {
      details: { source: name, array },
    });
  };
  return { x: read('x'), y: read('y') };
}
