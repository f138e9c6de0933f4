import { create, toBinary } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import {
  AttributeProtoSchema,
  FunctionProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
} from '../../../src/onnx/schema/onnx_pb.ts';
import { float32Tensor } from '../../../src/onnx/tensor.ts';
import { buildTrainingGraph, decodeModel, encodeModel } from '../../../src/training-graph.ts';
import { runOnnx } from '../../support/run-onnx.ts';
import { attribute, onnxFile, type TestNode } from '../../support/single-op.ts';
import { subgraph } from '../../support/subgraph.ts';

const node = (opType: string, input: string[], output: string[], domain = '') =>
  create(NodeProtoSchema, { opType, domain, input, output });

/** leaky(a; alpha) = LeakyRelu(a), twice(a; alpha) = leaky(leaky(a)), with `alpha` handed on; the model adds two calls. */
function modelWithFunctions(functionOpset = 18n): Uint8Array {
  const reference = create(AttributeProtoSchema, { name: 'alpha', type: 1, refAttrName: 'alpha' });
  const leaky = create(FunctionProtoSchema, {
    name: 'leaky',
    domain: 'local',
    input: ['a'],
    output: ['b'],
    attribute: ['alpha'],
    opsetImport: [{ version: functionOpset }],
    node: [{ ...node('LeakyRelu', ['a'], ['b']), attribute: [reference] }],
  });
  const twice = create(FunctionProtoSchema, {
    name: 'twice',
    domain: 'local',
    input: ['a'],
    output: ['b'],
    attributeProto: [{ name: 'alpha', type: 1, f: 0.5 }],
    node: [
      { ...node('leaky', ['a'], ['inner'], 'local'), attribute: [reference] },
      { ...node('leaky', ['inner'], ['b'], 'local'), attribute: [reference] },
    ],
  });
  const value = (name: string) => ({
    name,
    type: {
      tensorType: { elemType: 1, shape: { dim: [{ value: { case: 'dimValue' as const, value: 3n } }] } },
    },
  });
  const alpha = create(AttributeProtoSchema, { name: 'alpha', type: 1, f: 0.25 });
  return toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      irVersion: 8n,
      opsetImport: [{ version: 18n }, { domain: 'local', version: 1n }],
      functions: [leaky, twice],
      graph: {
        name: 'g',
        input: [value('x')],
        output: [value('y')],
        node: [
          { ...node('twice', ['x'], ['p'], 'local'), attribute: [alpha] },
          node('twice', ['x'], ['q'], 'local'),
          node('Add', ['p', 'q'], ['y']),
        ],
      },
    }),
  );
}

test('local functions are inlined, attributes and their defaults handed on', async () => {
  const bytes = modelWithFunctions();
  const built = buildTrainingGraph(bytes, { wrt: ['x'], lossReduction: 'sum' });
  const found = await runOnnx(built.bytes, {
    x: { dims: [3], data: [-1, 2, -4] },
    [built.target]: { dims: [3], data: [0, 0, 0] },
  });
  // y = (0.25^2 + 0.5^2) x for x < 0, 2 x above; d sum(y^2) / dx = 2 y dy/dx.
  const slope = [0.3125, 2, 0.3125];
  expect([...found.y!.data]).toEqual([-0.3125, 4, -1.25]);
  expect([...found[built.gradients.x!]!.data]).toEqual([-1, 2, -4].map((x, i) => 2 * x * slope[i]! ** 2));
});

test('a function in another operator set than the model is refused', () => {
  expect(() => buildTrainingGraph(modelWithFunctions(17n))).toThrow(
    "Local function 'leaky' is written in operator set 17 of domain '', but the model uses 18",
  );
});

/** `square(a)`, and `f(a)` = mean(a^2)^2 where the sum of a is above 0, else -a^2: in operator set 16, nodes unnamed. */
function modelWithBranchesInFunctions(): Uint8Array {
  const square = { op: 'square', domain: 'local' };
  const thenBranch = subgraph(
    [
      { op: 'ReduceMean', inputs: ['m'], outputs: ['t'], attributes: { axes: attribute.ints([1]) } },
      { ...square, inputs: ['t'], outputs: ['u'] },
    ],
    ['u'],
  );
  const elseBranch = subgraph([{ op: 'Neg', inputs: ['m'], outputs: ['t'] }], ['t']);
  const protos = (nodes: readonly TestNode[]) =>
    decodeModel(
      onnxFile({ inputs: { a: [1, 2] }, constants: { zero: float32Tensor([], [0]) }, nodes, outputs: [] }),
    ).source!.graph!.node.map((proto) => ({ ...proto, name: '' }));
  const f = protos([
    { ...square, inputs: ['a'], outputs: ['m'] },
    { op: 'ReduceSum', inputs: ['a'], outputs: ['s'], attributes: { keepdims: attribute.int(0) } },
    { op: 'Sub', inputs: ['s', 's'], outputs: ['zero_'] },
    { op: 'Greater', inputs: ['s', 'zero_'], outputs: ['c'] },
    {
      op: 'If',
      inputs: ['c'],
      outputs: ['b'],
      attributes: { then_branch: thenBranch, else_branch: elseBranch },
    },
  ]);
  const opsets = [{ version: 16n }, { domain: 'local', version: 1n }];
  const body = (name: string, nodes: ReturnType<typeof protos>) =>
    create(FunctionProtoSchema, {
      name,
      domain: 'local',
      input: ['a'],
      output: ['b'],
      opsetImport: opsets,
      node: nodes,
    });
  const model = decodeModel(
    onnxFile({
      inputs: { x: [1, 2], z: [1, 2] },
      nodes: [
        { op: 'f', domain: 'local', inputs: ['x'], outputs: ['p'] },
        { op: 'f', domain: 'local', inputs: ['z'], outputs: ['m'] },
        { op: 'Add', inputs: ['p', 'm'], outputs: ['y'] },
      ],
      outputs: ['y'],
      opset: 16,
    }),
  );
  const functions = [
    body('f', f),
    body('square', protos([{ op: 'Mul', inputs: ['a', 'a'], outputs: ['b'] }])),
  ];
  return encodeModel({ ...model, opsets: new Map([...model.opsets, ['local', 1]]), functions });
}

test('functions with an If in them, functions that only a branch calls, older operators in branches', async () => {
  const built = buildTrainingGraph(modelWithBranchesInFunctions(), {
    wrt: ['x', 'z'],
    loss: (graph, prediction) => graph.reduceSum(prediction),
  });
  const found = await runOnnx(built.bytes, {
    x: { dims: [1, 2], data: [1, 2] },
    z: { dims: [1, 2], data: [-1, -3] },
  });
  // mean(x^2)^2 - z^2, the first of them twice.
  expect([...found.y!.data]).toEqual([2.5 ** 2 - 1, 2.5 ** 2 - 9]);
  expect([...found[built.gradients.x!]!.data]).toEqual([10, 20]);
  expect([...found[built.gradients.z!]!.data]).toEqual([2, 6]);
});
