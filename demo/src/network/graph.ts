import type { EdgeColumns } from '../edges/edge-columns.ts';
import { labelsOf } from '../names/labels.ts';
import type { ModelFacts } from '../results/facts.ts';

/** Pairs of node numbers as (source, target). */
export type EdgeList = readonly (readonly [number, number])[];

export type Role = 'function' | 'input' | 'output';

/** What is laid out: function nodes first, by their numbers in the table, then inputs, then outputs. */
export interface NetworkGraph {
  readonly names: readonly string[];
  /** Their labels in pictures. */
  readonly labels: readonly string[];
  readonly functions: number;
  readonly inputs: number;
  /** Known edges between function nodes, without self edges. */
  readonly known: EdgeList;
  /** Edges from inputs and to outputs. */
  readonly outer: EdgeList;
}

export function roleOf(
  { functions, inputs }: Pick<NetworkGraph, 'functions' | 'inputs'>,
  node: number,
): Role {
  if (node < functions) return 'function';
  return node < functions + inputs ? 'input' : 'output';
}

/** The whole graph of a model. */
export function graphOfModel(model: ModelFacts, withOuter: boolean): NetworkGraph {
  const functions = model.functions.length;
  const kinds = withOuter ? [model.functions, model.inputs, model.outputs] : [model.functions];
  const inputs = withOuter ? model.inputs.length : 0;
  return {
    names: kinds.flat(),
    // Each kind of node may have a prefix of its own.
    labels: kinds.flatMap(labelsOf),
    functions,
    inputs,
    known: model.edges.filter(([source, target]) => source !== target),
    outer: withOuter
      ? [
          ...model.inputEdges.map(([input, target]) => [functions + input, target] as const),
          ...model.outputEdges.map(([source, output]) => [source, functions + inputs + output] as const),
        ]
      : [],
  };
}

/** As much of the graph as a table contains. */
export function graphOfTable({ names, rows, hasEdge, src, dst }: EdgeColumns): NetworkGraph {
  const known: [number, number][] = [];
  for (let row = 0; row < rows; row++)
    if (hasEdge[row] && src[row] !== dst[row]) known.push([src[row]!, dst[row]!]);
  return { names, labels: labelsOf(names), functions: names.length, inputs: 0, known, outer: [] };
}
