import { FreshNames } from './fresh-names.ts';
import { identityNode, type OnnxGraph, type OnnxNode, type Tensor, type TensorType } from './graph.ts';
import { ShapeInference } from './shape-inference/infer.ts';
import { allDefinedNames, definedNames, graphAttribute, mapSubgraphs, renameGraph } from './subgraphs.ts';

/**
 * The graph with every If whose condition is known before it runs replaced by the branch that is taken, in subgraphs too.
 * Exporters write such an If where the code asks for a size: `squeeze` of an axis, for one. Values of the branch keep
 * their names where no other value has them.
 * @param variable initializers whose values may change from run to run
 */
export function inlineKnownBranches(graph: OnnxGraph, variable: ReadonlySet<string>): OnnxGraph {
  if (!graph.nodes.some(mayBeKnown)) return graph;
  const names = allDefinedNames(graph);
  const seen = new Set<string>();
  const repeated = new Set(names.filter((name) => seen.size === seen.add(name).size));
  const fresh = new FreshNames(names);
  const inference = new ShapeInference();
  for (const name of variable) {
    const tensor = graph.initializers.get(name);
    if (tensor !== undefined)
      inference.addInput(name, { elementType: tensor.elementType, shape: tensor.dims });
  }
  const constants = new Map([...graph.initializers].filter(([name]) => !variable.has(name)));
  return new BranchInliner(repeated, fresh).inline(graph, constants, inference);
}

function mayBeKnown(node: OnnxNode): boolean {
  return node.domain === '' && ['If', 'Loop', 'Scan'].includes(node.opType);
}

class BranchInliner {
  /** Names that more than one value has, in graphs that do not see each other. */
  readonly #repeated: ReadonlySet<string>;
  readonly #fresh: FreshNames;

  constructor(repeated: ReadonlySet<string>, fresh: FreshNames) {
    this.#repeated = repeated;
    this.#fresh = fresh;
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
