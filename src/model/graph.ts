import { MagnitudeEdgeError } from '../errors.ts';
import { parentLists } from '../scoring/conditioning-sets.ts';

/** `[sources, targets]`: two lists of equal length, each entry an index within its own node type. */
export type EdgeIndex = readonly [sources: ArrayLike<number>, targets: ArrayLike<number>];

/** The graph that a GSNN was trained on: names of the nodes and the three kinds of edges (ONNX profile v1). */
export interface GsnnGraph {
  readonly nodeNames: {
    readonly input: readonly string[];
    readonly function: readonly string[];
    readonly output: readonly string[];
  };
  readonly edgeIndex: {
    readonly 'input,function': EdgeIndex;
    readonly 'function,function': EdgeIndex;
    readonly 'function,output': EdgeIndex;
  };
}

/** A model's own graph, with the parents of each function node. */
export interface ModelGraph extends GsnnGraph {
  /** N lists */
  readonly parents: readonly (readonly number[])[];
}

/** A node type of the graph. */
export type NodeType = keyof GsnnGraph['nodeNames'];

export const nodeTypes = ['input', 'function', 'output'] as const satisfies readonly NodeType[];
export const edgeTypes = [
  'input,function',
  'function,function',
  'function,output',
] as const satisfies readonly (keyof GsnnGraph['edgeIndex'])[];

/**
 * Checks that names are unique within their node type and that every edge joins two nodes that exist.
 * @param what name of the graph in messages, as in 'the graph of model.onnx'
 * @throws MagnitudeEdgeError `graph-mismatch`
 */
export function checkGraph(graph: GsnnGraph, what: string): void {
  for (const type of nodeTypes) {
    const names = graph.nodeNames[type];
    const seen = new Map<string, number>();
    names.forEach((name, index) => {
      const first = seen.get(name);
      if (first !== undefined) {
        throw mismatch(`${what}: ${type} nodes ${first} and ${index} have the same name '${name}'`);
      }
      seen.set(name, index);
    });
  }
  for (const edgeType of edgeTypes) checkEdges(graph, edgeType, what);
}

function checkEdges(graph: GsnnGraph, edgeType: keyof GsnnGraph['edgeIndex'], what: string): void {
  const [sourceType, targetType] = edgeType.split(',') as [NodeType, NodeType];
  const [sources, targets] = graph.edgeIndex[edgeType];
  if (sources.length !== targets.length) {
    throw mismatch(
      `${what}: the edges '${edgeType}' have ${sources.length} sources and ${targets.length} targets`,
    );
  }
  const check = (index: number | undefined, type: NodeType, edge: number): void => {
    const count = graph.nodeNames[type].length;
    if (!Number.isInteger(index) || index! < 0 || index! >= count) {
      throw mismatch(
        `${what}: edge ${edge} of '${edgeType}' names ${type} node ${String(index)}, but there are ${count} ${type} nodes`,
      );
    }
  };
  for (let edge = 0; edge < sources.length; edge++) {
    check(sources[edge], sourceType, edge);
    check(targets[edge], targetType, edge);
  }
}

/**
 * Checks a graph to be used with a model: it must have as many nodes of each type, and no function name that the model
 * gives to another node (a renamed graph is fine, a reordered one would put every score on the wrong edge).
 * @throws MagnitudeEdgeError `graph-mismatch`
 */
export function checkGraphFitsModel(graph: GsnnGraph, model: GsnnGraph): void {
  for (const type of nodeTypes) {
    const given = graph.nodeNames[type].length;
    const expected = model.nodeNames[type].length;
    if (given !== expected) {
      throw mismatch(`the graph has ${given} ${type} nodes, but the model has ${expected}`, {
        type,
        given,
        expected,
      });
    }
  }
  checkGraph(graph, 'the graph');
  const positions = new Map(model.nodeNames.function.map((name, index) => [name, index]));
  graph.nodeNames.function.forEach((name, index) => {
    const position = positions.get(name);
    if (position !== undefined && position !== index) {
      throw mismatch(
        `the graph names function node ${index} '${name}', but in the model that is function node ${position}`,
        { node: name },
      );
    }
  });
}

/** The parents of each function node, N ascending lists (method.md, "Symbols"). */
export function functionParents(graph: GsnnGraph): number[][] {
  return parentLists(graph.edgeIndex['function,function'], graph.nodeNames.function.length);
}

function mismatch(
  sentence: string,
  details: Record<string, string | number | boolean> = {},
): MagnitudeEdgeError {
  return new MagnitudeEdgeError('graph-mismatch', `${sentence[0]!.toUpperCase()}${sentence.slice(1)}.`, {
    details,
  });
}
