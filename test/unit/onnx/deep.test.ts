import { describe, expect, test } from 'vitest';
import { float32Tensor, int64Tensor } from '../../../src/onnx/tensor.ts';
import { buildTrainingGraph } from '../../../src/training-graph.ts';
import { countWork } from '../../support/count-work.ts';
import { attribute, onnxFile, type TestNode } from '../../support/single-op.ts';

/** Nothing here may recurse along the graph, or walk it once for every node. */
const LENGTH = 20_000;

const constants = {
  w: float32Tensor([], [1.001]),
  index: int64Tensor([3], [2, 0, 1]),
  one: int64Tensor([1], [1]),
};

/** What is built of so many nodes, and the value it ends in. */
type Build = (length: number) => readonly [nodes: TestNode[], output: string];

const chain =
  (step: (from: string, to: string, i: number) => TestNode[]): Build =>
  (length) => [
    Array.from({ length }, (_, i) => step(i === 0 ? 'x' : `v${i}`, `v${i + 1}`, i)).flat(),
    `v${length}`,
  ];

const chainOf = (op: string): Build => chain((from, to) => [{ op, inputs: [from], outputs: [to] }]);

const chains: Record<string, Build> = {
  'of one operator after another': chainOf('Exp'),
  'of Identity': chainOf('Identity'),
  'of an activation that is written in others': chainOf('Sigmoid'),
  'that reads one value over and over': chain((from, to) => [
    { op: 'Add', inputs: [from, 'x'], outputs: [to] },
  ]),
  'that scales by one parameter': chain((from, to) => [{ op: 'Mul', inputs: [from, 'w'], outputs: [to] }]),
  'of gathers': chain((from, to) => [
    { op: 'Gather', inputs: [from, 'index'], outputs: [to], attributes: { axis: attribute.int(1) } },
  ]),
  'of reshapes to a shape that is computed': chain((from, to, i) => [
    { op: 'Shape', inputs: [from], outputs: [`s${i}`] },
    { op: 'Reshape', inputs: [from, `s${i}`], outputs: [to] },
  ]),
  'of whole numbers': (length) => [
    [
      { op: 'Shape', inputs: ['x'], outputs: ['n0'], attributes: { end: attribute.int(1) } },
      ...Array.from({ length }, (_, i) => ({ op: 'Mul', inputs: [`n${i}`, 'one'], outputs: [`n${i + 1}`] })),
      { op: 'Expand', inputs: ['x', `n${length}`], outputs: ['y'] },
    ],
    'y',
  ],
  'joined by one node': (length) => [
    [
      ...Array.from({ length }, (_, i) => ({ op: 'Exp', inputs: ['x'], outputs: [`a${i}`] })),
      {
        op: 'Concat',
        inputs: Array.from({ length }, (_, i) => `a${i}`),
        outputs: ['y'],
        attributes: { axis: attribute.int(1) },
      },
    ],
    'y',
  ],
};

/** Nodes of the training graph for each of the chain's, forward and backward. */
const nodesPerActivation = {
  Exp: 2,
  Relu: 3,
  LeakyRelu: 4,
  Elu: 5,
  Sigmoid: 8,
  Softplus: 19,
  Tanh: 17,
  Mish: 15,
  Gelu: 12,
};

function fileOf(build: Build, length: number): Uint8Array {
  const [nodes, output] = build(length);
  return onnxFile({ inputs: { x: ['n', 3] }, constants, nodes, outputs: [output], opset: 22 });
}

describe('20,000 nodes', () => {
  test.each(Object.entries(chains))('%s', (_, build) => {
    const graph = buildTrainingGraph(fileOf(build, LENGTH), { wrt: ['x'], parameters: ['w'] });
    expect(graph.disconnected).not.toContain('x');
    // A few nodes for each of the model's, however long the way.
    expect(graph.model.graph.nodes.length).toBeLessThan(9 * LENGTH);
  });

  test('in the reverse of their order', () => {
    const [nodes, output] = chains['of one operator after another']!(LENGTH);
    const bytes = onnxFile({ inputs: { x: ['n', 3] }, nodes: nodes.toReversed(), outputs: [output] });
    const graph = buildTrainingGraph(bytes, { wrt: ['x'] });
    expect(graph.disconnected).toEqual([]);
  });

  test('before an operator without a rule: the message names both ends of the path', () => {
    const [nodes, output] = chains['that reads one value over and over']!(LENGTH);
    const det = { op: 'Det', inputs: [output], outputs: ['y'] };
    const bytes = onnxFile({ inputs: { x: ['n', 3] }, nodes: [...nodes, det], outputs: ['y'] });
    expect(() => buildTrainingGraph(bytes, { wrt: ['x'] })).toThrow(/Det .* path x -> .* -> y/);
  });
});

describe('work grows as the chain does', () => {
  const activations = Object.keys(nodesPerActivation).map((op) => [op, chainOf(op)] as const);

  test.each([...Object.entries(chains), ...activations])('%s', (_, build) => {
    const work = (length: number): number => {
      const bytes = fileOf(build, length);
      return countWork(() => buildTrainingGraph(bytes, { wrt: ['x'], parameters: ['w'] }));
    };
    const start = work(100);
    const [once, twice] = [work(500) - start, work(900) - start];
    expect(once).toBeGreaterThan(400);
    expect(twice / once).toBeLessThan(2.01);
  });

  test.each(Object.entries(nodesPerActivation))('%s takes %i nodes', (op, nodes) => {
    const count = (length: number): number =>
      buildTrainingGraph(fileOf(chainOf(op), length), { wrt: ['x'] }).model.graph.nodes.length;
    expect((count(30) - count(20)) / 10).toBe(nodes);
  });
});
