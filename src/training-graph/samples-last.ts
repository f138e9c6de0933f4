import { intsAttribute } from '../onnx/attributes.ts';
import type { Attribute, Dimension, OnnxNode } from '../onnx/graph.ts';
import { valuesRead } from '../onnx/subgraphs.ts';
import { indexValues, int64Tensor } from '../onnx/tensor.ts';
import type { GraphRecorder } from './graph-recorder.ts';
import { encodedAttributes } from './node-key.ts';

/**
 * Computes values of shape `[samples, ...]` as `[..., samples]` if they come from products with sparse matrices, which
 * put samples on the last axis. An operator that repeats one number per node, as in group norms, then does so for a row
 * of samples: kernels process such rows many times as fast as the few channels of a node. Transposes between a product
 * and its consumers become unnecessary, too. Every element is computed as before.
 *
 * @param nodes the graph's nodes in topological order
 * @param outputs values that must exist under their names
 * @returns the nodes that replace them
 */
export function samplesLast(
  graph: GraphRecorder,
  nodes: readonly OnnxNode[],
  outputs: readonly string[],
): readonly OnnxNode[] {
  const layout = new Layout(graph);
  for (const node of nodes) if (!layout.putSamplesLast(node)) layout.keep(node);
  for (const output of outputs) layout.publish(output);
  return layout.nodes;
}

/** Operators that work element by element. */
const elementwise = new Set(
  'Abs Add And Cast Div Equal Erf Exp Greater GreaterOrEqual Identity IsNaN Less LessOrEqual Log Max Min Mul Neg Not Or Pow Reciprocal Relu Sqrt Sub Where Xor'.split(
    ' ',
  ),
);
const reductions = new Set(['ReduceMax', 'ReduceMean', 'ReduceMin', 'ReduceProd', 'ReduceSum']);

class Layout {
  readonly nodes: OnnxNode[] = [];
  readonly #graph: GraphRecorder;
  /** Name under which a value has its samples last */
  readonly #samplesLastName = new Map<string, string>();
  /** Replacement of a value that is not computed under its own name */
  readonly #standIn = new Map<string, string>();
  /** Values that so far exist only with their samples last */
  readonly #missing = new Set<string>();

  constructor(graph: GraphRecorder) {
    this.#graph = graph;
  }

  /** Keeps a node unchanged. */
  keep(node: OnnxNode): void {
    const inputs = node.inputs.map((input) => this.#inOriginalLayout(input));
    // Subgraphs read values by their names.
    for (const value of valuesRead(node).slice(inputs.length)) this.publish(value);
    this.nodes.push({ ...node, inputs });
    if (this.#movesSamplesLast(node)) this.#samplesLastName.set(node.inputs[0]!, node.outputs[0]!);
  }

  /** Computes a node's output with samples last; false if the node has to be kept unchanged. */
  putSamplesLast(node: OnnxNode): boolean {
    const [output] = node.outputs;
    if (node.domain !== '' || node.outputs.length !== 1 || output === undefined) return false;
    const shape = this.#samplesFirst(output);
    if (node.opType === 'Transpose') return this.#aliasTranspose(node, output);
    const inputs = shape && this.#inputsSamplesLast(node, shape);
    if (inputs === undefined) return false;
    this.#samplesLastName.set(output, this.#add(node.opType, inputs, node.attributes));
    this.#missing.add(output);
    return true;
  }

  /** Makes sure that a value exists under its name. */
  publish(value: string): void {
    const found = this.#inOriginalLayout(value);
    if (found === value) return;
    this.#add('Identity', [found], new Map(), value);
    this.#standIn.delete(value);
  }

  /** A transpose from one layout to the other only renames the same elements. */
  #aliasTranspose(node: OnnxNode, output: string): boolean {
    const input = node.inputs[0]!;
    if (this.#movesSamplesLast(node)) {
      const found = this.#samplesLastName.get(input);
      if (found !== undefined) this.#standIn.set(output, found);
      return found !== undefined;
    }
    const rank = this.#graph.rank(output);
    if (
      !this.#samplesFirst(output) ||
      permutationOf(node, rank!).some((from, to) => from !== (to + rank! - 1) % rank!)
    )
      return false;
    this.#samplesLastName.set(output, this.#inOriginalLayout(input));
    this.#missing.add(output);
    return true;
  }

  /** Whether a node moves the samples of its input from the first axis to the last. */
  #movesSamplesLast(node: OnnxNode): boolean {
    const shape = node.opType === 'Transpose' && node.domain === '' && this.#samplesFirst(node.inputs[0]!);
    if (!shape) return false;
    return permutationOf(node, shape.length).every((from, to) => from === (to + 1) % shape.length);
  }

  /** The inputs with which a node computes its output with samples last. */
  #inputsSamplesLast(
    { opType, inputs }: OnnxNode,
    shape: readonly Dimension[],
  ): readonly string[] | undefined {
    if (!inputs.some((input) => this.#samplesLastName.has(input))) return undefined;
    if (elementwise.has(opType)) {
      const operands = inputs.map((input) => this.#operand(input, shape));
      return operands.every((operand) => operand !== undefined) ? operands : undefined;
    }
    const [input, second] = inputs;
    const own = this.#samplesFirst(input!);
    if (own?.[0] !== shape[0]) return undefined;
    if (opType === 'Reshape') return [this.#last(input!), this.#ints([...shape.slice(1), -1])];
    const axes = reductions.has(opType) && second !== undefined && this.#axes(second, own!.length);
    return axes && axes.every((axis) => axis > 0)
      ? [this.#last(input!), this.#ints(axes.map((axis) => axis - 1))]
      : undefined;
  }

  /** An operand of an element-wise operator with samples last; one without samples gets an axis to broadcast along. */
  #operand(value: string, shape: readonly Dimension[]): string | undefined {
    const own = this.#graph.shape(value);
    if (own === undefined || own.length > shape.length) return undefined;
    if (own[0] === shape[0] && this.#samplesFirst(value))
      return own.length === shape.length ? this.#last(value) : undefined;
    const rest = own.length === shape.length && own[0] === 1 ? own.slice(1) : own;
    if (rest.length === shape.length || rest.some((size) => typeof size !== 'number')) return undefined;
    if (rest.length === 0) return this.#inOriginalLayout(value);
    const dims = [...(rest as number[]), 1];
    const constant = this.#graph.constantValue(value);
    return constant
      ? this.#graph.constant({ ...constant, dims })
      : this.#add('Reshape', [this.#inOriginalLayout(value), this.#ints(dims)], new Map());
  }

  #axes(value: string, rank: number): number[] | undefined {
    const constant = this.#graph.constantValue(value);
    const axes = constant && indexValues(constant);
    return axes?.length ? Array.from(axes, (axis) => (axis < 0 ? axis + rank : axis)) : undefined;
  }

  #ints(values: readonly Dimension[]): string {
    return this.#graph.constant(int64Tensor([values.length], values as number[]));
  }

  /** A value with its samples last. */
  #last(value: string): string {
    let found = this.#samplesLastName.get(value);
    if (found === undefined) {
      found = this.#transposed(this.#inOriginalLayout(value), this.#graph.rank(value)!, 1);
      this.#samplesLastName.set(value, found);
    }
    return found;
  }

  /** A value in its original layout. */
  #inOriginalLayout(value: string): string {
    if (this.#missing.delete(value)) {
      const rank = this.#graph.rank(value)!;
      this.#transposed(this.#samplesLastName.get(value)!, rank, rank - 1, value);
    }
    return this.#standIn.get(value) ?? value;
  }

  /** @param by number of places that axes move to the front */
  #transposed(value: string, rank: number, by: number, output?: string): string {
    const ints = Array.from({ length: rank }, (_, axis) => (axis + by) % rank);
    return this.#add('Transpose', [value], encodedAttributes({ perm: { ints } }), output);
  }

  #add(
    opType: string,
    inputs: readonly string[],
    attributes: ReadonlyMap<string, Attribute>,
    output = this.#graph.freshName(`samples-last/${opType}`),
  ): string {
    const node = { name: output, opType, domain: '', inputs, outputs: [output], attributes };
    this.#graph.addForeignNode(node);
    this.nodes.push(node);
    return output;
  }

  /** The shape of a value if its first axis, and no other, runs over the samples. */
  #samplesFirst(value: string): readonly Dimension[] | undefined {
    const shape = this.#graph.shape(value);
    if (shape === undefined || shape.length < 2 || typeof shape[0] !== 'string') return undefined;
    return shape.slice(1).every((size) => typeof size === 'number' && size > 0) ? shape : undefined;
  }
}

function permutationOf(node: OnnxNode, rank: number): number[] {
  return intsAttribute(node, 'perm') ?? Array.from({ length: rank }, (_, axis) => rank - 1 - axis);
}
