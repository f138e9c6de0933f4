import { create } from '@bufbuild/protobuf';
import { DataType } from './data-type.ts';
import type { Tensor } from './graph.ts';
import { TensorProtoSchema, type TensorProto } from './schema/onnx_pb.ts';

/** Encodes a constant, its elements in the file itself. */
export function encodeTensor(name: string, tensor: Tensor): TensorProto {
  const proto = create(TensorProtoSchema, {
    name,
    dataType: tensor.elementType,
    dims: tensor.dims.map(BigInt),
  });
  if (tensor.elementType === DataType.string) proto.stringData = [...(tensor.strings ?? [])];
  else proto.rawData = tensor.bytes;
  return proto;
}
