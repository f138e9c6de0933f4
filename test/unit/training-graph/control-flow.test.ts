import { describe, expect, test } from 'vitest';
import { MagnitudeEdgeError } from '../../../src/index.ts';
import {
  type Attribute,
  buildTrainingGraph,
  DataType,
  type TrainingGraph,
} from '../../../src/training-graph.ts';
import { float32Tensor, int64Tensor, numericTensor } from '../../../src/onnx/tensor.ts';
import { checkGradients } from '../../support/gradient-check.ts';
import { relativeError, runOnnx } from '../../support/run-onnx.ts';
import { attribute, onnxFile, type TestNode } from '../../support/single-op.ts';
import { subgraph } from '../../support/subgraph.ts';

const node = (
  op: string,
  inputs: string[],
  outputs: string[],
  attributes?: TestNode['attributes'],
): TestNode => ({
  op,
  inputs,
  outputs,
  ...(attributes ? { attributes } : {}),
});

/** `outputs = If(sum(x) > limit)` with the sum and the comparison. */
function conditional(
  outputs: string[],
  limit: number,
  thenBranch: Attribute,
  elseBranch: Attribute,
): { nodes: TestNode[]; constants: Record<string, ReturnType<typeof float32Tensor>> } {
  return {
    constants: { limit: float32Tensor([], [limit]) },
    nodes: [
      node('ReduceSum', ['x'], ['total'], { keepdims: attribute.int(0) }),
      node('Greater', ['total', 'limit'], ['condition']),
      node('If', ['condition'], outputs, { then_branch: thenBranch, else_branch: elseBranch }),
    ],
  };
}

const limits = [
  ['then', -1e6],
  ['else', 1e6],
] as const;

describe.each(limits)('If that takes its %s branch', (_, limit) => {
  test('gives the gradients of what each branch reads', async () => {
    const { nodes, constants } = conditional(
      ['y'],
      limit,
      subgraph([node('MatMul', ['x', 'w'], ['m']), node('Tanh', ['m'], ['t'])], ['t']),
      subgraph([node('MatMul', ['x', 'v'], ['m']), node('Exp', ['m'], ['e'])], ['e']),
    );
    const inputs = { x: [2, 3], w: [3, 4], v: [3, 4] };
    await checkGradients({ inputs, constants, nodes });
    await checkGradients({ inputs, constants, nodes, dynamic: true });
  });

  test('adds up what is read inside and outside, and goes through values on both sides', async () => {
    const { nodes, constants } = conditional(
      ['a', 'b'],
      limit,
      subgraph(
        [node('Mul', ['x', 'h'], ['p']), node('Mul', ['p', 'c'], ['p2']), node('Sin', ['h'], ['q'])],
        ['p2', 'q'],
        { c: float32Tensor([], [1.5]) },
      ),
      subgraph([node('Identity', ['h'], ['p']), node('Mul', ['h', 'h'], ['q'])], ['p', 'q']),
    );
    await checkGradients({
      inputs: { x: [2, 3] },
      constants,
      nodes: [
        node('Tanh', ['x'], ['h']),
        ...nodes,
        node('Mul', ['a', 'b'], ['ab']),
        node('Add', ['ab', 'x'], ['y']),
      ],
    });
  });

  test('takes branches whose shapes differ', async () => {
    const { nodes, constants } = conditional(
      ['z'],
      limit,
      subgraph([node('ReduceSum', ['h', 'axis'], ['s'], { keepdims: attribute.int(1) })], ['s'], {
        axis: int64Tensor([1], [1]),
      }),
      subgraph([node('Sin', ['h'], ['s'])], ['s']),
    );
    await checkGradients({
      inputs: { x: [2, 3] },
      constants,
      nodes: [node('Tanh', ['x'], ['h']), ...nodes, node('Mul', ['z', 'x'], ['y'])],
    });
  });

  test.each(limits)('and inside it takes the %s branch of another', async (_inner, innerLimit) => {
    const inner = node('If', ['inside'], ['r'], {
      then_branch: subgraph([node('Mul', ['m', 'w'], ['r1'])], ['r1']),
      else_branch: subgraph([node('Sin', ['x'], ['r2'])], ['r2']),
    });
    const { nodes, constants } = conditional(
      ['y'],
      limit,
      subgraph(
        [
          node('Mul', ['x', 'w'], ['m']),
          node('Greater', ['total', 'inner_limit'], ['inside']),
          inner,
          node('Mul', ['r', 'm'], ['out']),
        ],
        ['out'],
      ),
      subgraph([node('Cos', ['w'], ['out2'])], ['out2']),
    );
    await checkGradients({
      inputs: { x: [2, 3], w: [2, 3] },
      constants: { ...constants, inner_limit: float32Tensor([], [innerLimit]) },
      nodes,
    });
  });
});

function built(
  nodes: TestNode[],
  constants: Record<string, ReturnType<typeof float32Tensor>>,
  more: Parameters<typeof buildTrainingGraph>[1] = {},
): TrainingGraph {
  const bytes = onnxFile({ inputs: { x: ['n', 3] }, constants, nodes, outputs: ['y'] });
  return buildTrainingGraph(bytes, { wrt: ['x'], lossReduction: 'sum', ...more });
}

describe('If', () => {
  test('of which a branch only asks for a shape leads nowhere', () => {
    const { nodes, constants } = conditional(
      ['s'],
      0,
      subgraph([node('Shape', ['x'], ['s1'])], ['s1']),
      subgraph([node('Shape', ['total'], ['s2'])], ['s2']),
    );
    const tail = [
      node('Cast', ['s'], ['f'], { to: attribute.int(DataType.float32) }),
      node('Mul', ['f', 'w'], ['y']),
    ];
    const graph = built([...nodes, ...tail], { ...constants, w: float32Tensor([], [2]) });
    expect(graph.disconnected).toEqual(['x']);
  });

  test('gradients of parameters that only a branch reads', async () => {
    const { nodes, constants } = conditional(
      ['y'],
      0,
      subgraph([node('Mul', ['x', 'w'], ['t'])], ['t']),
      subgraph([node('Mul', ['x', 'v'], ['e'])], ['e']),
    );
    const graph = built(
      nodes,
      { ...constants, w: float32Tensor([], [3]), v: float32Tensor([], [5]) },
      { parameters: ['w', 'v'] },
    );
    const run = async (data: number[]) =>
      runOnnx(graph.bytes, {
        x: { dims: [1, 3], data },
        [graph.target]: { dims: [1, 3], data: [0, 0, 0] },
        w: { dims: [], data: graph.parameters.w!.values },
        v: { dims: [], data: graph.parameters.v!.values },
      });
    // Loss w^2 sum(x^2) where the sum of x is above 0, else v^2 sum(x^2).
    const above = await run([1, 2, 3]);
    expect([...above[graph.gradients.w!]!.data]).toEqual([2 * 3 * 14]);
    expect([...above[graph.gradients.v!]!.data]).toEqual([0]);
    expect([...above[graph.gradients.x!]!.data]).toEqual([18, 36, 54]);
    const below = await run([-1, -2, -3]);
    expect([...below[graph.gradients.w!]!.data]).toEqual([0]);
    expect([...below[graph.gradients.v!]!.data]).toEqual([2 * 5 * 14]);
    expect([...below[graph.gradients.x!]!.data]).toEqual([-50, -100, -150]);
  });

  test('whose condition is known leaves its branch, and what the branch calls its values stays apart', async () => {
    const constants = { one: int64Tensor([], [1]), w: float32Tensor([], [2]) };
    const squeeze = (output: string): TestNode[] => [
      node('Shape', ['x'], [`${output}_shape`], { start: attribute.int(0), end: attribute.int(1) }),
      node('Shape', ['x'], [`${output}_size`], { start: attribute.int(1), end: attribute.int(2) }),
      node('Equal', [`${output}_size`, 'one'], [`${output}_is_one`]),
      node('If', [`${output}_is_one`], [output], {
        then_branch: subgraph([node('Squeeze', ['x'], ['inner'])], ['inner']),
        else_branch: subgraph([node('Mul', ['x', 'w'], ['inner'])], ['inner']),
      }),
    ];
    const graph = built([...squeeze('a'), ...squeeze('b'), node('Mul', ['a', 'b'], ['y'])], constants);
    expect(graph.model.graph.nodes.map(({ opType }) => opType)).not.toContain('If');
    const found = await runOnnx(graph.bytes, {
      x: { dims: [1, 3], data: [1, 2, 3] },
      [graph.target]: { dims: [1, 3], data: [0, 0, 0] },
    });
    // sum((4 x^2)^2), whose gradient is 64 x^3.
    expect(relativeError(found[graph.gradients.x!]!.data, [64, 512, 1728])).toBeLessThan(1e-6);
  });

  test('with random numbers in a branch is refused, naming it', () => {
    const { nodes, constants } = conditional(
      ['y'],
      0,
      subgraph([node('RandomNormalLike', ['x'], ['noise']), node('Mul', ['x', 'noise'], ['t'])], ['t']),
      subgraph([node('Identity', ['x'], ['e'])], ['e']),
    );
    expect(() => built(nodes, constants)).toThrow(
      "If 'node2' has no gradient rule for a branch with random numbers; it lies on the path x -> y",
    );
  });

  test('with an operator without a rule in a branch is refused, saying where it is', () => {
    const { nodes, constants } = conditional(
      ['y'],
      0,
      subgraph([node('Det', ['x'], ['t'])], ['t']),
      subgraph([node('Identity', ['x'], ['e'])], ['e']),
    );
    expect(() => built(nodes, constants)).toThrow(/Det .* has no gradient rule.*then_branch of If 'node2'/);
  });
});

/** `output` = `state` times `factor`, which is read from around the loop, as often as `trips` says. */
function loop(state: string, factor: string, output: string, trips: string): TestNode {
  const body = subgraph(
    [node('Identity', ['go'], ['go_on']), node('Mul', ['carried', factor], ['carried_on'])],
    ['go_on', 'carried_on'],
    {},
    { i: [], go: [], carried: ['n', 3] },
  );
  if (body.kind !== 'graph') throw new Error('no graph');
  const types = [DataType.int64, DataType.bool, DataType.float32];
  const inputs = body.value.inputs.map(({ name, type }, k) => ({
    name,
    type: { ...type, elementType: types[k] },
  }));
  const outputs = body.value.outputs.map(({ name, type }, k) => ({
    name,
    type: { ...type, elementType: types[k + 1] },
  }));
  return node('Loop', [trips, 'yes', state], [output], {
    body: { kind: 'graph', value: { ...body.value, inputs, outputs } },
  });
}

const loopConstants = {
  three: int64Tensor([], [3]),
  many: int64Tensor([], [2 ** 40]),
  yes: numericTensor(DataType.bool, [], [1]),
  first: int64Tensor([1], [0]),
  seed: float32Tensor([1, 3], [1, 2, 3]),
  w: float32Tensor([], [2]),
};

/** `batch`, a scalar: as many runs as there are samples, which only the run knows. */
const batch = [
  node('Shape', ['x'], ['sizes'], { end: attribute.int(1) }),
  node('Squeeze', ['sizes', 'first'], ['batch']),
];

describe('Loop', () => {
  test('off every path works, and keeps what its body reads', async () => {
    const graph = built(
      [
        ...batch,
        node('Neg', ['w'], ['minus']),
        loop('seed', 'minus', 'scale', 'batch'),
        node('Mul', ['x', 'scale'], ['y']),
      ],
      loopConstants,
    );
    const found = await runOnnx(graph.bytes, {
      x: { dims: [2, 3], data: [1, 1, 1, 1, 1, 1] },
      [graph.target]: { dims: [2, 3], data: [0, 0, 0, 0, 0, 0] },
    });
    expect([...found.y!.data]).toEqual([4, 8, 12, 4, 8, 12]);
    expect([...found[graph.gradients.x!]!.data]).toEqual([32, 128, 288, 32, 128, 288]);
  });

  test('whose number of runs is known is written out, and what all runs read is a sum', async () => {
    const graph = built([loop('x', 'w', 'y', 'three')], loopConstants, { parameters: ['w'] });
    const found = await runOnnx(graph.bytes, {
      x: { dims: [1, 3], data: [1, 2, 3] },
      w: { dims: [], data: [2] },
      [graph.target]: { dims: [1, 3], data: [0, 0, 0] },
    });
    // y = w^3 x; sum(y^2) has the gradients 2 w^6 x and 6 w^5 sum(x^2).
    expect([...found[graph.gradients.x!]!.data]).toEqual([128, 256, 384]);
    expect([...found[graph.gradients.w!]!.data]).toEqual([6 * 32 * 14]);
    expect(Object.keys(graph.sharedParameters)).toEqual(['w']);
    expect(graph.sharedParameters.w).toHaveLength(3);
  });

  test.each([
    ['as its state', [...batch, loop('x', 'w', 'y', 'batch')], 'x -> y'],
    ['in too many runs', [loop('x', 'w', 'y', 'many')], 'x -> y'],
    [
      'from around it',
      [...batch, node('Tanh', ['x'], ['t']), loop('seed', 't', 'y', 'batch')],
      'x -> t -> y',
    ],
  ])('that takes what gradients are asked for %s is refused, naming it and the path', (_, nodes, path) => {
    const refused = (): TrainingGraph => built(nodes, loopConstants);
    expect(refused).toThrow(MagnitudeEdgeError);
    expect(refused).toThrow(
      `Loop 'node${nodes.length - 1}' has no gradient rule; it lies on the path ${path}`,
    );
  });
});

test('parameters that several nodes read are named with them, through Identity too', () => {
  const nodes = [
    node('Identity', ['w'], ['v']),
    node('Mul', ['x', 'w'], ['a']),
    node('Add', ['a', 'b'], ['c']),
    node('Mul', ['c', 'v'], ['y']),
    // Read by nothing that the loss depends on.
    node('Mul', ['x', 'b'], ['unused']),
  ];
  const constants = { w: float32Tensor([], [2]), b: float32Tensor([], [1]) };
  const graph = built(nodes, constants, { parameters: 'all' });
  expect(Object.keys(graph.sharedParameters)).toEqual(['w']);
  expect(graph.sharedParameters.w?.toSorted()).toEqual(['node1', 'node3']);
  expect(built(nodes, constants).sharedParameters).toEqual({});
});
