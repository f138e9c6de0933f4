import {
  create,
  toBinary,
  type DescMessage,
  type MessageInitShape,
  type MessageShape,
} from '@bufbuild/protobuf';
import { MagnitudeEdgeError } from '../errors.ts';
import { attributeKinds as kinds } from './attribute-kind.ts';
import { encodeTensor } from './encode-tensor.ts';
import type { Attribute, Dimension, OnnxGraph, OnnxModel, OnnxNode, TensorType, ValueInfo } from './graph.ts';
import {
  AttributeProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  StringStringEntryProtoSchema,
  TensorShapeProto_DimensionSchema,
  ValueInfoProtoSchema,
  type AttributeProto,
  type GraphProto,
  type NodeProto,
  type TensorShapeProto_Dimension,
  type ValueInfoProto,
} from './schema/onnx_pb.ts';

/** Longest protocol buffer message. */
const MAX_BYTES = 2 ** 31 - 1;

/**
 * Encodes a model as one self-contained file, including constants read from external data. Anything in its source
 * messages that this package's types do not represent is kept.
 *
 * Throws `invalid-model` if the constants take 2 GiB or more, the format's limit.
 */
export function encodeModel(model: OnnxModel): Uint8Array {
  let size = 0;
  for (const tensor of model.graph.initializers.values()) size += tensor.bytes.byteLength;
  if (size > MAX_BYTES) {
    throw new MagnitudeEdgeError(
      'invalid-model',
      `The constants take ${size} bytes; one ONNX file holds less than 2 GiB.`,
    );
  }
  const proto = messageFrom(ModelProtoSchema, model.source, {
    irVersion: BigInt(model.irVersion),
    opsetImport: [...model.opsets].map(([domain, version]) =>
      create(OperatorSetIdProtoSchema, { domain, version: BigInt(version) }),
    ),
    metadataProps: [...model.metadata].map(([key, value]) =>
      create(StringStringEntryProtoSchema, { key, value }),
    ),
    graph: encodeGraph(model.graph),
    functions: [...model.functions],
  });
  try {
    return toBinary(ModelProtoSchema, proto);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new MagnitudeEdgeError('invalid-model', `The model cannot be written as ONNX: ${reason}.`, {
      cause,
    });
  }
}

/** A message with `fields`, plus whatever else `source` holds: notes, and fields unknown to the schema. */
function messageFrom<Schema extends DescMessage>(
  schema: Schema,
  source: MessageShape<Schema> | undefined,
  fields: Partial<MessageShape<Schema>>,
): MessageShape<Schema> {
  return Object.assign(create(schema), source, fields);
}

function encodeGraph(graph: OnnxGraph): GraphProto {
  return messageFrom(GraphProtoSchema, graph.source, {
    name: graph.name,
    input: graph.inputs.map(encodeValueInfo),
    output: graph.outputs.map(encodeValueInfo),
    valueInfo: [...graph.valueTypes].map(([name, type]) => encodeValueInfo({ name, type })),
    initializer: [...graph.initializers].map(([name, tensor]) => encodeTensor(name, tensor)),
    node: graph.nodes.map(encodeNode),
  });
}

function encodeNode(node: OnnxNode): NodeProto {
  if (node.source === undefined && node.attributes.size === 0) return plainNode(node);
  return messageFrom(NodeProtoSchema, node.source, {
    name: node.name,
    opType: node.opType,
    domain: node.domain,
    input: [...node.inputs],
    output: [...node.outputs],
    attribute: [...node.attributes].map(([name, attribute]) => encodeAttribute(name, attribute)),
  });
}

/** A fast path for most nodes: graphs have hundreds of thousands. */
function plainNode({ name, opType, domain, inputs, outputs }: OnnxNode): NodeProto {
  const fields: Pick<NodeProto, 'name' | 'opType' | 'domain'> & Record<string, unknown> = {
    $typeName: NodeProtoSchema.typeName,
    name,
    opType,
    domain,
    input: inputs,
    output: outputs,
    attribute: [],
    metadataProps: [],
  };
  return fields as NodeProto;
}

const utf8 = new TextEncoder();

function encodeAttribute(name: string, attribute: Attribute): AttributeProto {
  const message = (fields: MessageInitShape<typeof AttributeProtoSchema>): AttributeProto =>
    Object.assign(create(AttributeProtoSchema, fields), { name });
  const { kind, value } = attribute;
  switch (kind) {
    case 'float':
      return message({ type: kinds.float, f: value });
    case 'int':
      return message({ type: kinds.int, i: value });
    case 'string':
      return message({ type: kinds.string, s: utf8.encode(value) });
    case 'tensor':
      return message({ type: kinds.tensor, t: encodeTensor('', value) });
    case 'graph':
      return message({ type: kinds.graph, g: encodeGraph(value) });
    case 'floats':
      return message({ type: kinds.floats, floats: [...value] });
    case 'ints':
      return message({ type: kinds.ints, ints: [...value] });
    case 'strings':
      return message({ type: kinds.strings, strings: value.map((s) => utf8.encode(s)) });
    case 'graphs':
      return message({ type: kinds.graphs, graphs: value.map(encodeGraph) });
    case 'opaque':
      return value;
  }
}

function encodeValueInfo({ name, type }: ValueInfo): ValueInfoProto {
  return create(ValueInfoProtoSchema, { name, type: type.other ?? { tensorType: encodeType(type) } });
}

function encodeType(type: TensorType) {
  return {
    elemType: type.elementType ?? 0,
    ...(type.shape === undefined ? {} : { shape: { dim: type.shape.map(encodeDimension) } }),
  };
}

function encodeDimension(dimension: Dimension): TensorShapeProto_Dimension {
  const proto = create(TensorShapeProto_DimensionSchema);
  if (typeof dimension === 'number') proto.value = { case: 'dimValue', value: BigInt(dimension) };
  if (typeof dimension === 'string') proto.value = { case: 'dimParam', value: dimension };
  return proto;
}
