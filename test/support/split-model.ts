import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema, StringStringEntryProtoSchema } from '../../src/onnx/schema/onnx_pb.ts';

/** A model with its largest constant in a separate file, as torch.onnx.export writes it. */
export function splitModel(whole: Uint8Array, location: string): { model: Uint8Array; data: Uint8Array } {
  const proto = fromBinary(ModelProtoSchema, whole);
  const largest = proto.graph!.initializer.reduce((a, b) => (b.rawData.length > a.rawData.length ? b : a));
  const data = new Uint8Array(largest.rawData);
  largest.rawData = new Uint8Array();
  largest.dataLocation = 1;
  largest.externalData = Object.entries({ location, offset: '0', length: String(data.length) }).map(
    ([key, value]) => create(StringStringEntryProtoSchema, { key, value }),
  );
  return { model: toBinary(ModelProtoSchema, proto), data };
}
