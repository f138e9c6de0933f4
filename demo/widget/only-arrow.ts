import { MagnitudeEdgeError } from '../../src/errors.ts';
import type { Codecs } from '../../src/columns/codecs.ts';

/** Stands in for the reader of Parquet and for decompressors: Python hands tables over as Arrow, not compressed. */
function refuse(): never {
  throw new MagnitudeEdgeError('invalid-data', 'This explorer takes tables as Arrow alone, not compressed.');
}

export const openParquet = refuse;

export function loadCodecs(names: Iterable<string>): Promise<Codecs> {
  if ([...names].length > 0) refuse();
  return Promise.resolve(new Map());
}
