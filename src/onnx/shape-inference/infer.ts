import { requireArity } from '../arity.ts';
import { describeNode, guarded } from '../attributes.ts';
import { MagnitudeEdgeError } from '../../errors.ts';
import { DataType, type ElementType } from '../data-type.ts';
import type { Dimension, OnnxGraph, OnnxNode, Tensor, TensorType } from '../graph.ts';
import { contentsRules } from './contents.ts';
import {
  constantContents,
  isContentsType,
  normalizeAxis,
  unknownType,
  type Contents,
  type InferenceContext,
} from './knowledge.ts';
import { inferenceRules } from './rules.ts';

/**
 * What is known about every value of a graph before it runs: element type, shape with named sizes, and the contents of
 * the small integer tensors that shapes are computed with. Values are added in graph order.
 *
 * Two axes with the same name have the same size in every run. An unknown size gets a name of its own, so that it stays
 * recognisable through the operations that keep it.
 */
export class ShapeInference {
  readonly #types = new Map<string, TensorType>();
  readonly #contents = new Map<string, Contents>();
  readonly #constants = new Map<string, Tensor>();
  readonly #outer: ShapeInference | undefined;
  readonly #unnamed: { count: number };
  /** Shared by all nodes: rules use it while they run and keep no reference. */
  readonly #context: { -readonly [K in keyof InferenceContext]: InferenceContext[K] };

  /** `outer` is the inference of the graph around a subgraph. */
  constructor(outer?: ShapeInference) {
    this.#outer = outer;
    this.#unnamed = outer === undefined ? { count: 0 } : outer.#unnamed;
    const name = (index: number): string => this.#context.node.inputs[index] ?? '';
    this.#context = {
      node: noNode,
      type: (index) => this.type(name(index)),
      shape: (index) => this.type(name(index)).shape,
      contents: (index) => this.contents(name(index)),
      constant: (index) => this.constant(name(index)),
      axis: (axis, rank) => normalizeAxis(this.#context.node, axis, rank),
      outputsOf: (graph) => this.#outputsOf(graph),
    };
  }

  type(value: string): TensorType {
    return this.#types.get(value) ?? this.#outer?.type(value) ?? unknownType;
  }

  contents(value: string): Contents | undefined {
    return this.#isOwn(value) ? this.#contents.get(value) : this.#outer?.contents(value);
  }

  constant(value: string): Tensor | undefined {
    return this.#isOwn(value) ? this.#constants.get(value) : this.#outer?.constant(value);
  }

  /** Renames a value; `declared` fills what could not be inferred. */
  rename(from: string, to: string, declared?: ReadonlyMap<string, TensorType>): void {
    this.#types.set(to, this.#named(merged(this.type(from), declared?.get(to))));
    const contents = this.#contents.get(from);
    if (contents !== undefined) this.#contents.set(to, contents);
    this.#types.delete(from);
    this.#contents.delete(from);
  }

  #isOwn(value: string): boolean {
    return this.#outer === undefined || this.#types.has(value);
  }

  addConstant(value: string, tensor: Tensor): void {
    this.#constants.set(value, tensor);
    this.#types.set(value, { elementType: tensor.elementType, shape: tensor.dims });
    const contents = constantContents(tensor);
    if (contents !== undefined) this.#contents.set(value, contents);
  }

  addInput(value: string, type: TensorType): void {
    this.#types.set(value, this.#named(type));
  }

  /** Infers the types of a node's outputs; `declared` fills what cannot be inferred. */
  addNode(node: OnnxNode, declared?: ReadonlyMap<string, TensorType>): void {
    requireArity(node);
    const context = this.#context;
    context.node = node;
    const standard = node.domain === '';
    const rule = standard ? inferenceRules.get(node.opType) : undefined;
    const inferred = rule === undefined ? [] : guarded(node, () => rule(context));
    node.outputs.forEach((output, index) => {
      if (output === '') return;
      const type = merged(inferred[index] ?? unknownType, declared?.get(output));
      requireSizes(node, type);
      this.#types.set(output, this.#named(type));
    });
    const contentsRule = standard ? contentsRules.get(node.opType) : undefined;
    const contents = contentsRule && guarded(node, () => contentsRule(context));
    const output = node.outputs[0] ?? '';
    if (contents === undefined || output === '') return;
    const rounded = asStored(contents, this.type(output).elementType);
    if (rounded !== undefined) this.#contents.set(output, rounded);
  }

  /** Types of a subgraph's outputs, as far as the values that it reads from this graph determine them. */
  #outputsOf(graph: OnnxGraph): readonly TensorType[] {
    const inner = new ShapeInference(this);
    for (const { name, type } of graph.inputs) inner.addInput(name, type);
    for (const [name, tensor] of graph.initializers) inner.addConstant(name, tensor);
    for (const node of graph.nodes) inner.addNode(node, graph.valueTypes);
    return graph.outputs.map(({ name, type }) => merged(inner.type(name), type));
  }

  #named(type: TensorType): TensorType {
    if (type.shape?.includes(undefined) !== true) return type;
    return { ...type, shape: type.shape.map((dimension) => dimension ?? `size#${this.#unnamed.count++}`) };
  }
}

const noNode: OnnxNode = { name: '', opType: '', domain: '', inputs: [], outputs: [], attributes: new Map() };

/** Contents as stored in a tensor of the type; undefined for types in which no sizes are computed. */
function asStored(contents: Contents, elementType: ElementType | undefined): Contents | undefined {
  if (elementType === DataType.float32) {
    const round = (value: Dimension): Dimension =>
      typeof value === 'number' ? Math.fround(value) : undefined;
    return { ...contents, values: contents.values.map(round) };
  }
  return elementType === undefined || isContentsType(elementType) ? contents : undefined;
}

function merged(inferred: TensorType, declared: TensorType | undefined): TensorType {
  if (declared === undefined) return inferred;
  const elementType = inferred.elementType ?? declared.elementType;
  if (inferred.shape === undefined) return { elementType, shape: declared.shape };
  if (declared.shape?.length !== inferred.shape.length) return { elementType, shape: inferred.shape };
  return {
    elementType,
    shape: inferred.shape.map((dimension, axis): Dimension => {
      const other = declared.shape![axis];
      return dimension ?? other;
    }),
  };
}

function requireSizes(node: OnnxNode, { shape }: TensorType): void {
  const impossible = shape?.find(
    (size) => typeof size === 'number' && !(size >= 0 && Number.isSafeInteger(size)),
  );
  if (impossible === undefined) return;
  throw new MagnitudeEdgeError(
    'invalid-model',
    `${describeNode(node)} would give an axis of ${impossible} elements.`,
  );
}
