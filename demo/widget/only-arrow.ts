import { MagnitudeEdgeError } from '../../src/errors.ts';
import type { Codecs } from '../../src/columns/codecs.ts';

/** Replaces the reader of Parquet and the decompressors: Python passes tables as uncompressed Arrow. */
function refuse(): never {
  throw new MagnitudeEdgeError('invalid-data', 'This explorer takes tables as Arrow alone, not compressed.');
}

export const openParquet = refuse;

export function loadCodecs(names: Iterable<string>): Promise<Codecs> {
  if ([...names].length > 0) refuse();
  return Promise.resolve(new Map());
}
