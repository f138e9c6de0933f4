import { fromBinary } from '@bufbuild/protobuf';
import { MagnitudeEdgeError } from '../errors.ts';
import { attributeKinds as kinds } from './attribute-kind.ts';
import { decodeTensor, type ExternalData } from './decode-tensor.ts';
import type {
  Attribute,
  Dimension,
  OnnxGraph,
  OnnxModel,
  OnnxNode,
  Tensor,
  TensorType,
  ValueInfo,
} from './graph.ts';
import {
  ModelProtoSchema,
  type AttributeProto,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  type ValueInfoProto,
} from './schema/onnx_pb.ts';
import { sortedBody, sortedNodes } from './topology.ts';

/** A model as this package's functions accept it: the file's bytes, or a decoded model. */
export type ModelSource = Uint8Array | ArrayBuffer | OnnxModel;

export interface DecodeOptions {
  /** Contents of external data files, by the location that the model names (usually `<model>.onnx.data`). */
  readonly externalData?: ExternalData | undefined;
}

/**
 * Decodes an ONNX file: metadata, declared inputs and outputs, constants, and nodes in topological order. Raw data is
 * borrowed from `bytes`, not copied.
 *
 * Throws `invalid-model` for bytes that are not an ONNX model, constants whose shape and data disagree, external data
 * that is not supplied, values with no producer or with two, and cycles.
 */
export function decodeModel(bytes: Uint8Array | ArrayBuffer, options: DecodeOptions = {}): OnnxModel {
  const proto = parse(bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes));
  if (proto.graph === undefined || proto.opsetImport.length === 0) {
    throw new MagnitudeEdgeError(
      'invalid-model',
      'The file is not an ONNX model: it holds no graph or no operator set.',
    );
  }
  return {
    irVersion: Number(proto.irVersion),
    opsets: new Map(proto.opsetImport.map(({ domain, version }) => [domain, Number(version)])),
    metadata: new Map(proto.metadataProps.map(({ key, value }) => [key, value])),
    graph: decodeModelGraph(proto.graph, options.externalData ?? {}),
    functions: proto.functions,
    source: proto,
  };
}

/** Decodes `source` if it is a file's bytes; returns a decoded model as is. */
export function asModel(source: ModelSource, options: DecodeOptions = {}): OnnxModel {
  return source instanceof Uint8Array || source instanceof ArrayBuffer
    ? decodeModel(source, options)
    : source;
}

function parse(bytes: Uint8Array): ModelProto {
  try {
    return fromBinary(ModelProtoSchema, bytes);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new MagnitudeEdgeError('invalid-model', `The file is not an ONNX model: ${reason}.`, { cause });
  }
}

function decodeModelGraph(proto: GraphProto, externalData: ExternalData): OnnxGraph {
  const graph = decodeGraph(proto, externalData);
  return { ...graph, nodes: sortedNodes(graph) };
}

/** A branch or a body: values that it reads from the enclosing graph are not checked. */
function decodeSubgraph(proto: GraphProto, externalData: ExternalData): OnnxGraph {
  const graph = decodeGraph(proto, externalData);
  return { ...graph, nodes: sortedBody(graph) };
}

/** A graph with its nodes in file order. */
function decodeGraph(proto: GraphProto, externalData: ExternalData): OnnxGraph {
  if (proto.sparseInitializer.length > 0) {
    throw new MagnitudeEdgeError(
      'invalid-model',
      'The model holds sparse initializers, which this reader does not support.',
    );
  }
  const initializers = new Map<string, Tensor>();
  for (const tensor of proto.initializer) {
    if (initializers.has(tensor.name)) {
      throw new MagnitudeEdgeError('invalid-model', `The model holds two constants called '${tensor.name}'.`);
    }
    initializers.set(tensor.name, decodeTensor(tensor, externalData));
  }
  return {
    name: proto.name,
    inputs: proto.input.map(decodeValueInfo),
    outputs: proto.output.map(decodeValueInfo),
    valueTypes: new Map(proto.valueInfo.map(decodeValueInfo).map(({ name, type }) => [name, type])),
    initializers,
    nodes: proto.node.map((node) => decodeNode(node, externalData)),
    source: proto,
  };
}

/** Decodes a node; also for the bodies of local functions. */
export function decodeNode(proto: NodeProto, externalData: ExternalData): OnnxNode {
  return {
    name: proto.name,
    opType: proto.opType,
    domain: proto.domain === 'ai.onnx' ? '' : proto.domain,
    inputs: proto.input,
    outputs: proto.output,
    attributes: new Map(proto.attribute.map((a) => [a.name, decodeAttribute(a, externalData)])),
    source: proto,
  };
}

const utf8 = new TextDecoder();

/** Decodes an attribute. Kinds without a plain value, and references to a function's attributes, stay opaque. */
export function decodeAttribute(proto: AttributeProto, externalData: ExternalData): Attribute {
  if (proto.refAttrName !== '') return { kind: 'opaque', value: proto };
  switch (proto.type) {
    case kinds.float:
      return { kind: 'float', value: proto.f };
    case kinds.int:
      return { kind: 'int', value: proto.i };
    case kinds.string:
      return { kind: 'string', value: utf8.decode(proto.s) };
    case kinds.tensor:
      if (proto.t === undefined) break;
      return { kind: 'tensor', value: decodeTensor(proto.t, externalData) };
    case kinds.graph:
      if (proto.g === undefined) break;
      return { kind: 'graph', value: decodeSubgraph(proto.g, externalData) };
    case kinds.floats:
      return { kind: 'floats', value: proto.floats };
    case kinds.ints:
      return { kind: 'ints', value: proto.ints };
    case kinds.strings:
      return { kind: 'strings', value: proto.strings.map((s) => utf8.decode(s)) };
    case kinds.graphs:
      return { kind: 'graphs', value: proto.graphs.map((graph) => decodeSubgraph(graph, externalData)) };
  }
  return { kind: 'opaque', value: proto };
}

function decodeValueInfo(proto: ValueInfoProto): ValueInfo {
  return { name: proto.name, type: decodeType(proto) };
}

function decodeType(proto: ValueInfoProto): TensorType {
  const tensor = proto.type?.tensorType;
  if (tensor === undefined) {
    return { elementType: undefined, shape: undefined, ...(proto.type ? { other: proto.type } : {}) };
  }
  return {
    elementType: tensor.elemType === 0 ? undefined : tensor.elemType,
    shape: tensor.shape?.dim.map(({ value }): Dimension => {
      if (value.case === 'dimValue') return value.value >= 0n ? Number(value.value) : undefined;
      return value.case === 'dimParam' && value.value !== '' ? value.value : undefined;
    }),
  };
}
