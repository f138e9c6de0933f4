import { expect, test } from 'vitest';
import type { GsnnGraph } from '../../../src/index.ts';
import { checkGraphFitsModel, functionParents } from '../../../src/model/graph.ts';

const graph: GsnnGraph = {
  nodeNames: { input: ['i'], function: ['a', 'b', 'c', 'd'], output: ['o'] },
  edgeIndex: {
    'input,function': [[0], [0]],
    // Unsorted, c -> d twice, b -> b a self edge.
    'function,function': [
      [2, 1, 0, 2, 1],
      [3, 1, 3, 3, 2],
    ],
    'function,output': [[3], [0]],
  },
};

test('parents are ascending, without duplicates and without the node itself', () => {
  expect(functionParents(graph)).toEqual([[], [], [1], [0, 2]]);
});

function changed(functions: string[]): GsnnGraph {
  return { ...graph, nodeNames: { ...graph.nodeNames, function: functions } };
}

test('a graph with other names, or other edges, fits', () => {
  expect(() => {
    checkGraphFitsModel(changed(['p', 'q', 'r', 's']), graph);
    checkGraphFitsModel(
      { ...graph, edgeIndex: { ...graph.edgeIndex, 'function,function': [[], []] } },
      graph,
    );
  }).not.toThrow();
});

test.each([
  [changed(['a', 'b', 'c']), /The graph has 3 function nodes, but the model has 4\./],
  [changed(['b', 'a', 'c', 'd']), /names function node 0 'b', but in the model that is function node 1\./],
  [changed(['a', 'a', 'c', 'd']), /function nodes 0 and 1 have the same name 'a'/],
])('a graph that does not fit', (given, sentence) => {
  expect(() => {
    checkGraphFitsModel(given, graph);
  }).toThrow(sentence);
});
