import { DataType, type ElementType } from '../onnx/data-type.ts';
import { FreshNames } from '../onnx/fresh-names.ts';
import { identityNode, type Dimension, type OnnxNode, type Tensor, type TensorType } from '../onnx/graph.ts';
import { ShapeInference } from '../onnx/shape-inference/infer.ts';
import { float32Tensor, int64Tensor, numericTensor } from '../onnx/tensor.ts';
import { encodedAttributes, nodeKey, type AttributeInit } from './node-key.ts';

/** The origin of a value. */
interface Produced {
  readonly node: OnnxNode;
  /** Whether the value is an output on the tape, possibly of a node other than this one. */
  onTape: boolean;
}

/** Operators that return different values each time they run. */
const random = /^(Random|Multinomial|Bernoulli|Dropout)/;

/** Whether a node may return different values each time it runs; a Dropout without a training input does not. */
export function isRandom({ domain, opType, inputs }: OnnxNode): boolean {
  return domain === '' && random.test(opType) && (opType !== 'Dropout' || (inputs[2] ?? '') !== '');
}

/**
 * An append-only graph. Values are named by strings. The output types and shapes of an added node are inferred
 * immediately, and a node that already exists is not added again.
 */
export class GraphRecorder {
  /** Version of the standard operators that the graph is written in; at least 18. */
  readonly opset: number;
  /** Prefix for the names of nodes added from now on: their place in the graph. */
  scope = '';
  readonly #outer: GraphRecorder | undefined;
  readonly #inference: ShapeInference;
  readonly #nodes: OnnxNode[] = [];
  readonly #tape: OnnxNode[] = [];
  #taping = true;
  readonly #initializers = new Map<string, Tensor>();
  readonly #inputs = new Set<string>();
  /** Names of the model and names that were requested; those that {@link node} makes are in `#produced`. */
  readonly #names: FreshNames;
  /** Names of earlier constants, by tensor object. */
  readonly #ofTensor = new WeakMap<Tensor, string>();
  readonly #constants = new Map<string, readonly string[]>();
  readonly #scalars = new Map<number, string>();
  readonly #known = new Map<string, OnnxNode>();
  /** Nodes of the model that {@link shareExisting} has not processed yet. */
  #foreign: OnnxNode[] = [];
  readonly #produced = new Map<string, Produced>();
  /** Counts the nodes of the graph and of its subgraphs: names that contain the count are unique. */
  readonly #serial: { count: number };

  /** `outer` is the graph around a subgraph: its values can be read, and its names are not reused. */
  constructor(opset: number, outer?: GraphRecorder) {
    this.opset = opset;
    this.#outer = outer;
    this.#inference = new ShapeInference(outer === undefined ? undefined : outer.#inference);
    this.#names = outer === undefined ? new FreshNames([], (name) => this.#produced.has(name)) : outer.#names;
    this.#serial = outer === undefined ? { count: 0 } : outer.#serial;
  }

  get nodes(): readonly OnnxNode[] {
    return this.#nodes;
  }

  /** The nodes to differentiate: those added within {@link recordAs} are represented by one. */
  get tape(): readonly OnnxNode[] {
    return this.#tape;
  }

  get initializers(): ReadonlyMap<string, Tensor> {
    return this.#initializers;
  }

  /** Declares an input of the graph. */
  addInput(name: string, type: TensorType): void {
    this.#inputs.add(name);
    this.#names.reserve(name);
    this.#inference.addInput(name, type);
  }

  addInitializer(name: string, tensor: Tensor): void {
    this.#names.reserve(name);
    this.#initializers.set(name, tensor);
    this.#inference.addConstant(name, tensor);
  }

  /** Adds a node of a model unchanged. */
  addForeignNode(node: OnnxNode, declared?: ReadonlyMap<string, TensorType>): void {
    for (const output of node.outputs) this.#names.reserve(output);
    this.#inference.addNode(node, declared);
    this.#append(node);
    this.#foreign.push(node);
  }

  /** Puts a node of a model on the tape, while the nodes that `emit` adds compute its only output. */
  addForeignNodeAs(node: OnnxNode, emit: () => string, declared?: ReadonlyMap<string, TensorType>): void {
    const taping = this.#taping;
    this.#taping = false;
    const before = this.#nodes.length;
    const value = emit();
    const last = this.#nodes.at(-1);
    const output = node.outputs[0]!;
    if (this.#nodes.length > before && last?.outputs.length === 1 && last.outputs[0] === value)
      this.#renameLast(last, node.name, output, declared);
    else this.addForeignNode(identityNode(node.name, value, output), declared);
    this.#taping = taping;
    if (taping) this.#putOnTape(node, node.outputs);
  }

  /** Gives the last node added, and its output, the names that they have in the model. */
  #renameLast(
    last: OnnxNode,
    name: string,
    output: string,
    declared?: ReadonlyMap<string, TensorType>,
  ): void {
    const node = { ...last, name, outputs: [output] };
    this.#names.reserve(output);
    this.#inference.rename(last.outputs[0]!, output, declared);
    this.#produced.delete(last.outputs[0]!);
    this.#nodes.pop();
    this.#append(node);
    const key = nodeKey(node.opType, node.domain, node.inputs, node.attributes, 1);
    if (key !== undefined) this.#known.set(key, node);
  }

  /** Whether a value is computed off the tape: inside what another node on the tape represents. */
  isOffTape(value: string): boolean {
    return this.#produced.get(value)?.onTape === false;
  }

  /**
   * Runs `emit`, which adds nodes and returns the value that they compute from `input`, and puts one node of the given
   * kind on the tape in their place. Returns that value and the node; no node if the value existed before.
   */
  recordAs(
    opType: string,
    domain: string,
    input: string,
    emit: () => string,
    attributes: AttributeInit = {},
  ): { readonly value: string; readonly node: OnnxNode | undefined } {
    const taping = this.#taping;
    this.#taping = false;
    const value = emit();
    this.#taping = taping;
    if (!taping) return { value, node: undefined };
    if (value === input || this.#produced.get(value)?.onTape === true) return { value, node: undefined };
    const node: OnnxNode = {
      name: value,
      opType,
      domain,
      inputs: [input],
      outputs: [value],
      attributes: encodedAttributes(attributes),
    };
    this.#putOnTape(node, [value]);
    return { value, node };
  }

  /** From now on, a node to add is looked up among all existing ones, the model's own included. */
  shareExisting(): void {
    for (const node of this.#foreign) this.#remember(node);
    this.#foreign = [];
  }

  /** Reserves an unused name, `wish` itself if it is free. */
  freshName(wish: string): string {
    return this.#names.take(wish);
  }

  /** Reserves a name for a value that is added later, or for one of a subgraph. */
  reserveName(name: string): void {
    this.#names.reserve(name);
  }

  /** Whether a value with this name exists. */
  has(value: string): boolean {
    const own = this.#produced.has(value) || this.#initializers.has(value) || this.#inputs.has(value);
    return own || this.#outer?.has(value) === true;
  }

  /** The node of this graph that produces a value; undefined for inputs and constants. */
  producer(value: string): OnnxNode | undefined {
    return this.#produced.get(value)?.node;
  }

  /** Adds a standard operator with one output and returns the output's name. An input '' is omitted. */
  op(opType: string, inputs: readonly string[], attributes: AttributeInit = {}): string {
    return this.node(opType, inputs, attributes, 1)[0]!;
  }

  /** Adds a standard operator and returns the names of its outputs. */
  node(
    opType: string,
    inputs: readonly string[],
    attributes: AttributeInit,
    outputs: number,
  ): readonly string[] {
    const encoded = encodedAttributes(attributes);
    const key = nodeKey(opType, '', inputs, encoded, outputs)!;
    const known = this.#known.get(key);
    if (known !== undefined) {
      // It may have been added within `recordAs`, off the tape.
      if (this.#taping && outputs > 0 && this.isOffTape(known.outputs[0]!))
        this.#putOnTape(known, known.outputs);
      return known.outputs;
    }
    let name: string;
    do name = `${this.scope}${opType}_${this.#serial.count++}`;
    while (this.#names.has(name));
    const written: string[] = [];
    for (let i = 0; i < outputs; i++) written.push(i === 0 ? name : this.freshName(`${name}.${i}`));
    const node: OnnxNode = { name, opType, domain: '', inputs, outputs: written, attributes: encoded };
    this.#inference.addNode(node);
    this.#append(node);
    this.#known.set(key, node);
    return node.outputs;
  }

  /** Adds a constant; constants of the same type, shape and elements are added once. */
  constant(tensor: Tensor): string {
    let name = this.#ofTensor.get(tensor);
    if (name === undefined) this.#ofTensor.set(tensor, (name = this.#constantAlike(tensor)));
    return name;
  }

  #constantAlike(tensor: Tensor): string {
    const key = `${tensor.elementType}[${tensor.dims.join()}]${fingerprint(tensor.bytes)}`;
    const alike = this.#constants.get(key) ?? [];
    const known = alike.find((name) => sameBytes(this.#initializers.get(name)!.bytes, tensor.bytes));
    if (known !== undefined) return known;
    const name = this.freshName(`${this.scope}constant_${this.#constants.size}`);
    this.addInitializer(name, tensor);
    this.#constants.set(key, [...alike, name]);
    return name;
  }

  /** A scalar constant, float32 unless another type is given. */
  scalar(value: number, elementType: ElementType = DataType.float32): string {
    // A Map treats -0 as 0.
    if (elementType !== DataType.float32 || Object.is(value, -0))
      return this.constant(numericTensor(elementType, [], [value]));
    let name = this.#scalars.get(value);
    if (name === undefined) {
      name = this.constant(numericTensor(elementType, [], [value]));
      this.#scalars.set(value, name);
    }
    return name;
  }

  /** A scalar int64 constant. */
  int(value: number): string {
    return this.scalar(value, DataType.int64);
  }

  /** A one-dimensional float32 constant. */
  floats(values: readonly number[]): string {
    return this.constant(float32Tensor([values.length], values));
  }

  /** A one-dimensional int64 constant: axes, shapes, indices. */
  ints(values: readonly number[]): string {
    return this.constant(int64Tensor([values.length], values));
  }

  /** What is known about a value before the graph runs. */
  type(value: string): TensorType {
    return this.#inference.type(value);
  }

  /** Sizes of a value's axes, numbers or names; undefined if not even the rank is known. */
  shape(value: string): readonly Dimension[] | undefined {
    return this.#inference.type(value).shape;
  }

  rank(value: string): number | undefined {
    return this.shape(value)?.length;
  }

  /** The elements of a constant value. */
  constantValue(value: string): Tensor | undefined {
    return this.#inference.constant(value);
  }

  /** Elements of a small integer tensor, as far as known; named sizes included. */
  contents(value: string): readonly Dimension[] | undefined {
    return this.#inference.contents(value)?.values;
  }

  #append(node: OnnxNode): void {
    this.#nodes.push(node);
    const onTape = this.#taping;
    if (onTape) this.#tape.push(node);
    for (const output of node.outputs) if (output !== '') this.#produced.set(output, { node, onTape });
  }

  /** Puts a node on the tape as the producer of `values`. */
  #putOnTape(node: OnnxNode, values: readonly string[]): void {
    this.#tape.push(node);
    for (const value of values) {
      const produced = this.#produced.get(value);
      if (produced !== undefined) produced.onTape = true;
    }
  }

  #remember(node: OnnxNode): void {
    if (isRandom(node)) return;
    const key = nodeKey(node.opType, node.domain, node.inputs, node.attributes, node.outputs.length);
    if (key !== undefined && !this.#known.has(key)) this.#known.set(key, node);
  }
}

/** Hash of a constant (FNV-1a, four bytes at a time). */
function fingerprint(bytes: Uint8Array): number {
  const { buffer, byteOffset, length } = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes);
  let hash = 0x811c9dc5 ^ length;
  // Numbers may differ in their upper bits alone, which a product never moves to lower ones.
  for (const word of new Int32Array(buffer, byteOffset, length >> 2))
    hash = Math.imul(hash ^ word ^ (word >>> 15), 0x01000193);
  for (const byte of bytes.subarray(length & ~3)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
