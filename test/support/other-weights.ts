import { decodeModel } from '../../src/onnx/decode.ts';
import { encodeModel } from '../../src/onnx/encode.ts';
import { DataType } from '../../src/onnx/data-type.ts';

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
