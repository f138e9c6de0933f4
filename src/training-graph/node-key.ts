import { attributeText } from '../onnx/attributes.ts';
import type { Attribute } from '../onnx/graph.ts';

/** Attributes of a node to add. Integers and floats differ in ONNX, so each value states its kind. */
export type AttributeInit = Readonly<
  Record<string, { int: number } | { ints: readonly number[] } | { float: number } | { string: string }>
>;

const noAttributes: ReadonlyMap<string, Attribute> = new Map();

/** Attributes as a node holds them. */
export function encodedAttributes(attributes: AttributeInit): ReadonlyMap<string, Attribute> {
  const entries = Object.entries(attributes);
  if (entries.length === 0) return noAttributes;
  return new Map(entries.map(([name, init]) => [name, attributeFrom(init)]));
}

function attributeFrom(init: AttributeInit[string]): Attribute {
  if ('int' in init) return { kind: 'int', value: toInteger(init.int) };
  if ('ints' in init) return { kind: 'ints', value: init.ints.map(toInteger) };
  if ('float' in init) return { kind: 'float', value: Math.fround(init.float) };
  return { kind: 'string', value: init.string };
}

function toInteger(value: number): bigint {
  if (Number.isSafeInteger(value)) return BigInt(value);
  throw new RangeError(`${value} is not a whole number below 2^53`);
}

/** Equal for nodes that compute the same; undefined if they cannot be compared cheaply (subgraphs, tensors). */
export function nodeKey(
  opType: string,
  domain: string,
  inputs: readonly string[],
  attributes: ReadonlyMap<string, Attribute>,
  outputs: number,
): string | undefined {
  // Length prefixes keep names apart that contain separators.
  let key = `${outputs},${inputs.length},${domain.length}:${domain}${opType}`;
  for (const input of inputs) key += `,${input.length}:${input}`;
  if (attributes.size === 0) return key;
  for (const [name, attribute] of [...attributes].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const text = attributeText(attribute);
    if (text === undefined) return undefined;
    key += `,${name.length}:${name}:${text.length}:${text}`;
  }
  return key;
}
