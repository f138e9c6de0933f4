import { FreshNames } from './fresh-names.ts';
import { identityNode, type OnnxGraph, type OnnxNode, type Tensor, type TensorType } from './graph.ts';
import { ShapeInference } from './shape-inference/infer.ts';
import { unrolledLoop, type Expansion } from './unroll-loop.ts';
import { allDefinedNames, definedNames, graphAttribute, mapSubgraphs, renameGraph } from './subgraphs.ts';

/**
 * Replaces every If whose condition is known before the model runs with the branch taken, and unrolls every short Loop
 * whose number of iterations is known, in subgraphs too. Exporters emit such an If where the code tests a size, for
 * example to `squeeze` an axis. Values of the branch keep their names unless other values have them too.
 * @param variable initializers whose values may change from run to run
 */
export function inlineControlFlow(graph: OnnxGraph, variable: ReadonlySet<string>): OnnxGraph {
  if (!graph.nodes.some(mayBeKnown)) return graph;
  const names = allDefinedNames(graph);
  const seen = new Set<string>();
  const repeated = new Set(names.filter((name) => seen.size === seen.add(name).size));
  const nodeBudget = UNROLLED_NODES + graph.nodes.length;
  const fresh = new FreshNames(names);
  const inference = new ShapeInference();
  for (const name of variable) {
    const tensor = graph.initializers.get(name);
    if (tensor !== undefined)
      inference.addInput(name, { elementType: tensor.elementType, shape: tensor.dims });
  }
  const constants = new Map([...graph.initializers].filter(([name]) => !variable.has(name)));
  return new ControlFlowInliner(repeated, fresh, nodeBudget).inline(graph, constants, inference);
}

function mayBeKnown(node: OnnxNode): boolean {
  return node.domain === '' && ['If', 'Loop', 'Scan'].includes(node.opType);
}

/** Nodes that unrolled loops may have, in addition to as many as the model has. */
const UNROLLED_NODES = 1000;

class ControlFlowInliner {
  /** Names that several values have, in graphs that do not see each other. */
  readonly #repeated: Set<string>;
  readonly #fresh: FreshNames;
  /** Nodes that unrolled loops may still have. */
  #nodeBudget: number;

  constructor(repeated: Set<string>, fresh: FreshNames, nodeBudget: number) {
    this.#repeated = repeated;
    this.#fresh = fresh;
    this.#nodeBudget = nodeBudget;
  }

  inline(graph: OnnxGraph, constants: ReadonlyMap<string, Tensor>, inference: ShapeInference): OnnxGraph {
    for (const { name, type } of graph.inputs) inference.addInput(name, type);
    for (const [name, tensor] of constants) inference.addConstant(name, tensor);
    const nodes: OnnxNode[] = [];
    const initializers = new Map(graph.initializers);
    const valueTypes = new Map(graph.valueTypes);
    const declared = new Map<string, TensorType>([
      ...graph.outputs.map(({ name, type }) => [name, type] as const),
      ...valueTypes,
    ]);
    const add = (node: OnnxNode): void => {
      const branch = takenBranch(node, inference);
      const unrolled = this.#unrolled(node, inference);
      if (unrolled !== undefined) {
        for (const [name, tensor] of unrolled.initializers) {
          initializers.set(name, tensor);
          inference.addConstant(name, tensor);
        }
        unrolled.nodes.forEach(add);
        return;
      }
      if (branch === undefined) {
        inference.addNode(node, declared);
        nodes.push(
          mapSubgraphs(node, (inner) =>
            this.inline(inner, inner.initializers, new ShapeInference(inference)),
          ),
        );
        return;
      }
      const own = this.#renamed(branch);
      for (const [name, type] of own.valueTypes) {
        valueTypes.set(name, type);
        declared.set(name, type);
      }
      for (const [name, tensor] of own.initializers) {
        initializers.set(name, tensor);
        inference.addConstant(name, tensor);
      }
      own.nodes.forEach(add);
      own.outputs.forEach(({ name }, i) => {
        const output = node.outputs[i] ?? '';
        if (output === '') return;
        add(identityNode(i === 0 ? node.name : '', name, output));
      });
    };
    graph.nodes.forEach(add);
    return { ...graph, nodes, initializers, valueTypes };
  }

  #unrolled(node: OnnxNode, inference: ShapeInference): Expansion | undefined {
    const expansion = unrolledLoop(node, inference, (name) => this.#copyName(name), this.#nodeBudget);
    this.#nodeBudget -= expansion?.nodes.length ?? 0;
    return expansion;
  }

  /** A name for a copy of a value. */
  #copyName(name: string): string {
    const fresh = this.#fresh.take(name);
    if (this.#repeated.has(name)) this.#repeated.add(fresh);
    return fresh;
  }

  #renamed(branch: OnnxGraph): OnnxGraph {
    const renamed = new Map<string, string>();
    for (const name of definedNames(branch))
      if (this.#repeated.has(name)) renamed.set(name, this.#fresh.take(name));
    return renameGraph(branch, (name) => renamed.get(name) ?? name);
  }
}

function takenBranch(node: OnnxNode, inference: ShapeInference): OnnxGraph | undefined {
  if (node.opType !== 'If' || node.domain !== '') return undefined;
  const condition = inference.contents(node.inputs[0] ?? '')?.values;
  if (condition?.length !== 1 || typeof condition[0] !== 'number') return undefined;
  return graphAttribute(node, condition[0] === 0 ? 'else_branch' : 'then_branch');
}
