import { GsnnModel, MagnitudeEdgeError, type LoadOptions } from 'magnitude-edge';
import type { NamedFile } from '../state/inputs.ts';

/**
 * Loads a model with the external data files that came with it; those of a model at an address are next to it there.
 */
export async function loadModel(file: NamedFile, options: LoadOptions): Promise<GsnnModel> {
  try {
    return await GsnnModel.load(new File([file.bytes], file.name), {
      ...options,
      ...(file.external ? { externalData: file.external } : {}),
    });
  } catch (error) {
    const lacksFile = error instanceof MagnitudeEdgeError && typeof error.details.location === 'string';
    if (!lacksFile || file.address === undefined) throw error;
    return GsnnModel.load(new URL(file.address), { ...options, name: file.name });
  }
}
