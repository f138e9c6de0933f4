import type { Dimension, Tensor } from '../../onnx/graph.ts';
import { tensorValues } from '../../onnx/tensor.ts';
import type { IndexArray } from './index-array.ts';

/** Flat positions of the leading axes that a GatherND or ScatterND addresses, all before the batch axis. */
export function leadingPositions(
  tensor: Tensor | undefined,
  shape: readonly Dimension[],
  batchAxis: number,
): IndexArray | undefined {
  const depth = tensor?.dims.at(-1) ?? 0;
  const sizes = shape.slice(0, depth);
  if (tensor === undefined || depth === 0 || depth > batchAxis) return undefined;
  if (!sizes.every((size) => typeof size === 'number')) return undefined;
  const values = tensorValues(tensor);
  const data = new Int32Array(values.length / depth);
  for (let i = 0; i < data.length; i++) {
    let flat = 0;
    for (let d = 0; d < depth; d++) {
      const position = values[i * depth + d]!;
      const fromFront = position < 0 ? position + sizes[d]! : position;
      if (!(fromFront >= 0 && fromFront < sizes[d]!)) return undefined;
      flat = flat * sizes[d]! + fromFront;
    }
    data[i] = flat;
  }
  return { dims: tensor.dims.slice(0, -1), data };
}
