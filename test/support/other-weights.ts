import { DataType, decodeModel, encodeModel } from '../../src/training-graph.ts';

/** The same model with one weight changed. */
export function modelWithOtherWeights(bytes: Uint8Array): Uint8Array {
  const model = decodeModel(bytes);
  const initializers = new Map(model.graph.initializers);
  const [name, tensor] = [...initializers].find(([, { elementType }]) => elementType === DataType.float32)!;
  const changed = tensor.bytes.slice();
  changed[0]! ^= 1;
  initializers.set(name, { ...tensor, bytes: changed });
  return encodeModel({ ...model, graph: { ...model.graph, initializers } });
}
