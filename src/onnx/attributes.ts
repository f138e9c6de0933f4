import { MagnitudeEdgeError } from '../errors.ts';
import type { Attribute, OnnxNode, Tensor } from './graph.ts';

/** How messages name a node: by its name, or by its first output if it has none. */
export function describeNode(node: OnnxNode): string {
  const op = node.domain === '' ? node.opType : `${node.domain}.${node.opType}`;
  return node.name === '' ? `${op} (producing '${node.outputs[0] ?? ''}')` : `${op} '${node.name}'`;
}

/**
 * Runs code that reads a node's attributes and shapes. Numbers in a damaged file can contradict each other in more ways
 * than are worth a message each: an arithmetic failure is reported as the node's fault (`invalid-model`), and so is an
 * invalid node that was added on its behalf.
 */
export function guarded<T>(node: OnnxNode, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const arithmetic =
      cause instanceof RangeError || cause instanceof TypeError || cause instanceof SyntaxError;
    const ofOther = cause instanceof MagnitudeEdgeError && cause.code === 'invalid-model';
    const named = describeNode(node);
    if (!arithmetic && (!ofOther || cause.message.includes(named))) throw cause;
    throw new MagnitudeEdgeError(
      'invalid-model',
      `The attributes and input shapes of ${named} do not fit together: ${cause.message.replace(/\.$/, '')}.`,
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

/** A string that is equal for equal attributes; undefined for kinds that cannot be compared cheaply. */
export function attributeText(attribute: Attribute): string | undefined {
  switch (attribute.kind) {
    case 'tensor':
    case 'graph':
    case 'graphs':
    case 'opaque':
      return undefined;
    default:
      return `${attribute.kind}=${String(attribute.value)}`;
  }
}
