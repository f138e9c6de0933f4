import { create, toBinary } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import {
  AttributeProtoSchema,
  FunctionProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
} from '../../../src/onnx/schema/onnx_pb.ts';
import { buildTrainingGraph } from '../../../src/training-graph.ts';
import { runOnnx } from '../../support/run-onnx.ts';

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
    "Local function 'leaky' is written in operator set 17 of domain '', the model in 18",
  );
});
