import { readFileSync } from 'node:fs';
import { decodeModel, encodeModel, type OnnxModel } from '../../src/training-graph.ts';

export const modelsFolder = new URL('../fixtures/models/', import.meta.url);

/** The bytes of a fixture's file. */
export function fixture(name: string, file = 'model.onnx'): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(new URL(`${name}/${file}`, modelsFolder)));
}

type Json = Record<string, unknown>;

/** A fixture's model with its profile changed: `edit` gets the parsed JSON and changes it in place. */
export function withProfile(name: string, edit: (profile: Json) => void): Uint8Array {
  return withModel(name, (model) => {
    const profile = JSON.parse(model.metadata.get('gsnn')!) as Json;
    edit(profile);
    return { ...model, metadata: new Map(model.metadata).set('gsnn', JSON.stringify(profile)) };
  });
}

/** A fixture's model with anything changed. */
export function withModel(name: string, edit: (model: OnnxModel) => OnnxModel): Uint8Array {
  return encodeModel(edit(decodeModel(fixture(name))));
}
