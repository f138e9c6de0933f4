import { batches, MagnitudeEdgeError, type Batch, type GsnnModel } from 'magnitude-edge';
import type { FitSource } from '../results/provenance.ts';
import type { NamedFile } from '../state/inputs.ts';
import type { Params } from '../results/params.ts';

/** A model, and data read for it. */
export interface OpenedFiles {
  readonly model: GsnnModel;
  readonly source: FitSource['model'];
  readonly data: { readonly file: NamedFile; readonly samples: number } | null;
}

export function batchesOf(model: GsnnModel, file: NamedFile, { batchSize }: Params): AsyncIterable<Batch> {
  return batches(file.bytes, model, { batchSize, name: file.name });
}

/** Model and data, or an error that says what has to be chosen. */
export function requireData(files: OpenedFiles | null) {
  if (!files) throw new MagnitudeEdgeError('invalid-argument', 'Choose a model first.');
  if (!files.data) throw new MagnitudeEdgeError('invalid-argument', 'Choose the data first.');
  return { ...files, data: files.data };
}
