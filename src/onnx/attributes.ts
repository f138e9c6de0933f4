import { create } from '@bufbuild/protobuf';
import { MagnitudeEdgeError } from '../errors.ts';
import { decodeTensor, type ExternalData } from './decode-tensor.ts';
import { encodeTensor } from './encode-tensor.ts';
import type { Attribute, OnnxNode, Tensor } from './graph.ts';
import { AttributeProtoSchema, type AttributeProto } from './schema/onnx_pb.ts';

/** Numbers of AttributeProto.AttributeType (onnx.proto). */
const kinds = { float: 1, int: 2, string: 3, tensor: 4, floats: 6, ints: 7, strings: 8 } as const;

const utf8 = { decoder: new TextDecoder(), encoder: new TextEncoder() };

/** An attribute from its message. Kinds without a plain value, and references to a function's attributes, stay opaque. */
export function decodeAttribute(proto: AttributeProto, externalData: ExternalData): Attribute {
  if (proto.refAttrName !== '') return { kind: 'opaque', value: proto };
  switch (proto.type) {
    case kinds.float:
      return { kind: 'float', value: proto.f };
    case kinds.int:
      return { kind: 'int', value: proto.i };
    case kinds.string:
      return { kind: 'string', value: utf8.decoder.decode(proto.s) };
    case kinds.tensor:
      if (proto.t === undefined) break;
      return { kind: 'tensor', value: decodeTensor(proto.t, externalData) };
    case kinds.floats:
      return { kind: 'floats', value: proto.floats };
    case kinds.ints:
      return { kind: 'ints', value: proto.ints };
    case kinds.strings:
      return { kind: 'strings', value: proto.strings.map((s) => utf8.decoder.decode(s)) };
  }
  return { kind: 'opaque', value: proto };
}

export function encodeAttribute(name: string, attribute: Attribute): AttributeProto {
  switch (attribute.kind) {
    case 'float':
      return create(AttributeProtoSchema, { name, type: kinds.float, f: attribute.value });
    case 'int':
      return create(AttributeProtoSchema, { name, type: kinds.int, i: attribute.value });
    case 'string':
      return create(AttributeProtoSchema, {
        name,
        type: kinds.string,
        s: utf8.encoder.encode(attribute.value),
      });
    case 'tensor':
      return create(AttributeProtoSchema, { name, type: kinds.tensor, t: encodeTensor('', attribute.value) });
    case 'floats':
      return create(AttributeProtoSchema, { name, type: kinds.floats, floats: [...attribute.value] });
    case 'ints':
      return create(AttributeProtoSchema, { name, type: kinds.ints, ints: [...attribute.value] });
    case 'strings':
      return create(AttributeProtoSchema, {
        name,
        type: kinds.strings,
        strings: attribute.value.map((s) => utf8.encoder.encode(s)),
      });
    case 'opaque':
      return attribute.value;
  }
}

/** How a message names a node: by its name, or by what it produces where it has none. */
export function describeNode(node: OnnxNode): string {
  const op = node.domain === '' ? node.opType : `${node.domain}.${node.opType}`;
  return node.name === '' ? `${op} (producing '${node.outputs[0] ?? ''}')` : `${op} '${node.name}'`;
}

/**
 * Runs what reads a node's attributes and shapes. Numbers in a damaged file can contradict each other in more ways than are
 * worth a sentence each: what then fails in the arithmetic is reported as the node's fault (`invalid-model`).
 */
export function guarded<T>(node: OnnxNode, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof RangeError || cause instanceof TypeError || cause instanceof SyntaxError))
      throw cause;
    throw new MagnitudeEdgeError(
      'invalid-model',
      `The attributes and input shapes of ${describeNode(node)} do not fit together: ${cause.message}.`,
      { cause },
    );
  }
}

export function intAttribute(node: OnnxNode, name: string, fallback: number): number {
  const value = read(node, name, 'int');
  return value === undefined ? fallback : Number(value);
}

export function floatAttribute(node: OnnxNode, name: string, fallback: number): number {
  return read(node, name, 'float') ?? fallback;
}

export function stringAttribute(node: OnnxNode, name: string, fallback: string): string {
  return read(node, name, 'string') ?? fallback;
}

export function intsAttribute(node: OnnxNode, name: string): number[] | undefined {
  return read(node, name, 'ints')?.map(Number);
}

export function tensorAttribute(node: OnnxNode, name: string): Tensor | undefined {
  return read(node, name, 'tensor');
}

interface Values {
  readonly float: number;
  readonly int: bigint;
  readonly string: string;
  readonly tensor: Tensor;
  readonly ints: readonly bigint[];
}

function read<K extends keyof Values>(node: OnnxNode, name: string, kind: K): Values[K] | undefined {
  const attribute = node.attributes.get(name);
  if (attribute === undefined) return undefined;
  if (attribute.kind === kind) return attribute.value as unknown as Values[K];
  throw new MagnitudeEdgeError(
    'invalid-model',
    `Attribute '${name}' of ${describeNode(node)} should hold a value of kind '${kind}' but holds '${attribute.kind}'.`,
  );
}
