import { describe, expect, test } from 'vitest';
import { type CustomLoss, MagnitudeEdgeError } from '../../../src/index.ts';
import {
  buildTrainingGraph,
  DataType,
  decodeModel,
  type TrainingGraphOptions,
} from '../../../src/training-graph.ts';
import { float32Tensor, int64Tensor, numericTensor } from '../../../src/onnx/tensor.ts';
import { runOnnx } from '../../support/run-onnx.ts';
import { attribute, onnxFile, onnxModel, type TestModel } from '../../support/single-op.ts';

/** y = relu(x w) + x w, with the product passed on through two Identity nodes. */
const model: TestModel = {
  inputs: { x: ['batch', 2] },
  constants: { w: float32Tensor([2, 2], [1, -2, 0.5, 3]) },
  nodes: [
    { op: 'MatMul', inputs: ['x', 'w'], outputs: ['h'] },
    { op: 'Identity', inputs: ['h'], outputs: ['alias'] },
    { op: 'Identity', inputs: ['alias'], outputs: ['alias2'] },
    { op: 'Relu', inputs: ['alias2'], outputs: ['r'] },
    { op: 'Add', inputs: ['r', 'h'], outputs: ['y'] },
    { op: 'Exp', inputs: ['h'], outputs: ['unused'] },
  ],
  outputs: ['y'],
};
const x = { dims: [2, 2], data: [1, -1, 0.5, 2] };
const zeros = { dims: [2, 2], data: [0, 0, 0, 0] };

/** h = x w by hand, and the gradient of sum(y^2) with y = 2 h where h > 0, h elsewhere. */
const h = [0.5, -5, 1.5, 5];
const gradientOfH = h.map((v) => (v > 0 ? 8 * v : 2 * v));

async function gradients(options: TrainingGraphOptions, file = onnxFile(model)) {
  const built = buildTrainingGraph(file, { lossReduction: 'sum', ...options });
  const found = await runOnnx(built.bytes, { x, [built.target]: zeros });
  return { built, of: (value: string) => [...found[built.gradients[value]!]!.data], found };
}

function refusalOf(action: () => unknown): MagnitudeEdgeError {
  try {
    action();
  } catch (error) {
    if (error instanceof MagnitudeEdgeError) return error;
    throw error;
  }
  throw new Error('Nothing was refused.');
}

describe('what is differentiated', () => {
  test('inner values: the gradient is over all paths, and an Identity is no new value', async () => {
    const { of } = await gradients({ wrt: ['h', 'alias', 'alias2', 'r', 'x'] });
    for (const value of ['h', 'alias', 'alias2']) expect(of(value)).toEqual(gradientOfH);
    expect(of('r')).toEqual(h.map((v) => (v > 0 ? 4 * v : 2 * v)));
    // g w^T
    const [a, b, c, d] = gradientOfH as [number, number, number, number];
    expect(of('x')).toEqual([a - 2 * b, 0.5 * a + 3 * b, c - 2 * d, 0.5 * c + 3 * d]);
  });

  test('a value whose gradients are stopped passes none on, and has its own', async () => {
    const { of } = await gradients({ wrt: ['h', 'alias'], stopGradient: ['alias'] });
    expect(of('h')).toEqual(h.map((v) => (v > 0 ? 4 * v : 2 * v)));
    expect(of('alias')).toEqual(h.map((v) => (v > 0 ? 4 * v : 0)));
  });

  test('a value that the loss does not depend on has zeros', async () => {
    const { built, of } = await gradients({ wrt: ['unused', 'h'] });
    expect(of('unused')).toEqual([0, 0, 0, 0]);
    expect(built.disconnected).toEqual(['unused']);
    const stopped = await gradients({ wrt: ['x'], stopGradient: ['h'] });
    expect(stopped.of('x')).toEqual([0, 0, 0, 0]);
  });

  test('whole numbers end a path without a word', async () => {
    const nodes: TestModel['nodes'] = [
      { op: 'Cast', inputs: ['x'], outputs: ['i'], attributes: { to: attribute.int(DataType.int64) } },
      { op: 'Cast', inputs: ['i'], outputs: ['f'], attributes: { to: attribute.int(DataType.float32) } },
      { op: 'Mul', inputs: ['x', 'f'], outputs: ['y'] },
    ];
    const { of } = await gradients(
      { wrt: ['x'] },
      onnxFile({ inputs: { x: ['batch', 2] }, nodes, outputs: ['y'] }),
    );
    expect(of('x')).toEqual(x.data.map((v) => 2 * v * Math.trunc(v) ** 2));
  });
});

describe('what is written', () => {
  test('names, order of outputs, and nothing that no output needs', () => {
    const built = buildTrainingGraph(onnxFile({ ...model, metadata: { note: 'kept' } }), {
      wrt: ['h'],
      outputs: ['y', 'r'],
    });
    expect(built.outputs).toEqual(['loss', 'y', 'r', 'h.grad']);
    expect(built.inputs).toEqual(['x', 'target']);
    const written = decodeModel(built.bytes);
    expect(written.graph.outputs.map(({ name }) => name)).toEqual(built.outputs);
    expect(written.graph.inputs.map(({ type }) => type.shape)).toEqual([
      ['batch', 2],
      ['batch', 2],
    ]);
    expect(written.graph.nodes.map(({ opType }) => opType)).not.toContain('Exp');
    expect(written.metadata.get('note')).toBe('kept');
  });

  test('names that the model has already are left to it', () => {
    const nodes: TestModel['nodes'] = [
      { op: 'Neg', inputs: ['target'], outputs: ['loss'] },
      { op: 'Neg', inputs: ['loss'], outputs: ['loss.grad'] },
    ];
    const file = onnxFile({ inputs: { target: ['n'] }, nodes, outputs: ['loss.grad'] });
    const built = buildTrainingGraph(file, { wrt: ['loss'] });
    expect(built).toMatchObject({ target: 'target_1', loss: 'loss_1', gradients: { loss: 'loss.grad_1' } });
  });

  test('operator set 13 to 17 become 18, a newer one stays', () => {
    const nodes: TestModel['nodes'] = [
      { op: 'ReduceMean', inputs: ['x'], outputs: ['y'], attributes: { axes: attribute.ints([1]) } },
    ];
    for (const opset of [13, 17]) {
      const built = buildTrainingGraph(
        onnxFile({ inputs: { x: ['batch', 2] }, nodes, outputs: ['y'], opset }),
      );
      expect(built.model.opsets.get('')).toBe(18);
    }
    expect(buildTrainingGraph(onnxFile({ ...model, opset: 20 })).model.opsets.get('')).toBe(20);
    expect(refusalOf(() => buildTrainingGraph(onnxFile({ ...model, opset: 12 }))).message).toContain(
      'operator set 12',
    );
  });

  test('a custom loss is free to use every operator with a rule', async () => {
    const logCosh: CustomLoss = (graph, prediction, target) =>
      graph.reduceSum(graph.op('Log', [graph.op('Cosh', [graph.sub(prediction, target)])]));
    const { found, built } = await gradients({ loss: logCosh, wrt: ['y'] });
    [...found.y!.data].forEach((y, i) => {
      expect(found[built.gradients.y!]!.data[i]).toBeCloseTo(Math.tanh(y), 6);
    });
    expect(found.loss!.data[0]).toBeCloseTo(
      [...found.y!.data].reduce((sum, y) => sum + Math.log(Math.cosh(y)), 0),
      5,
    );
  });
});

describe('what is refused', () => {
  test.each([
    ['wrt', { wrt: ['ghost'] }],
    ['outputs', { outputs: ['ghost'] }],
    ['stopGradient', { stopGradient: ['ghost'] }],
    ['prediction', { prediction: 'ghost' }],
  ])('an unknown value in %s', (option, options) => {
    const refused = refusalOf(() => buildTrainingGraph(onnxFile(model), options));
    expect(refused).toMatchObject({ code: 'invalid-argument', details: { option, value: 'ghost' } });
    expect(refused.message).toContain(`The model has no value 'ghost', which ${option} names`);
  });

  test('an operator without a rule, with node and path', () => {
    const nodes: TestModel['nodes'] = [
      { op: 'Neg', inputs: ['x'], outputs: ['a'] },
      { op: 'Det', inputs: ['a'], outputs: ['b'] },
      { op: 'Exp', inputs: ['b'], outputs: ['y'] },
    ];
    const file = onnxFile({ inputs: { x: ['batch', 2, 2] }, nodes, outputs: ['y'] });
    const refused = refusalOf(() => buildTrainingGraph(file, { wrt: ['x'] }));
    expect(refused.code).toBe('unsupported-op');
    expect(refused.details).toMatchObject({ op: 'Det', node: 'node1' });
    expect(refused.message).toMatch(
      /^Det 'node1' has no gradient rule; it lies on the path x -> a -> b -> y -> loss/,
    );
    // Off the path it does no harm.
    expect(buildTrainingGraph(file, { wrt: ['b'] }).gradients).toEqual({ b: 'b.grad' });
  });

  test('an operator of another domain', () => {
    const nodes = [{ op: 'FusedGelu', domain: 'com.microsoft', inputs: ['x'], outputs: ['y'] }];
    const refused = refusalOf(() =>
      buildTrainingGraph(onnxFile({ inputs: { x: [2] }, nodes, outputs: ['y'] }), { wrt: ['x'] }),
    );
    expect(refused.message).toContain("com.microsoft.FusedGelu 'node0' has no gradient rule");
  });

  test('half precision and double precision on a path', () => {
    const half = onnxModel({
      ...model,
      constants: { w: numericTensor(DataType.float64, [2, 2], [1, 2, 3, 4]) },
    });
    const graph = {
      ...half.graph,
      inputs: [{ name: 'x', type: { elementType: DataType.float64, shape: ['batch', 2] } }],
    };
    const refused = refusalOf(() => buildTrainingGraph({ ...half, graph }, { wrt: ['x'] }));
    expect(refused.code).toBe('invalid-model');
    expect(refused.message).toMatch(/The value '.*' lies on a path that needs gradients, but is float64/);
  });

  test('gradients of whole numbers', () => {
    const constants = { i: int64Tensor([1], [0]) };
    const nodes: TestModel['nodes'] = [{ op: 'Gather', inputs: ['x', 'i'], outputs: ['y'] }];
    const file = onnxFile({ inputs: { x: ['batch', 2] }, constants, nodes, outputs: ['y'] });
    const refused = refusalOf(() => buildTrainingGraph(file, { wrt: ['i'] }));
    expect(refused).toMatchObject({
      code: 'invalid-argument',
      message: "Gradients were asked for 'i', which is int64; only float32 has gradients.",
    });
  });

  test('several outputs without a word on which one the loss takes', () => {
    const refused = refusalOf(() => buildTrainingGraph(onnxFile({ ...model, outputs: ['y', 'r'] })));
    expect(refused.message).toContain(
      "The model has 2 outputs (y, r); name the one that the loss takes as 'prediction'",
    );
  });

  test('losses that do not fit', () => {
    const refuse = (options: object): string =>
      refusalOf(() => buildTrainingGraph(onnxFile(model), options)).message;
    expect(refuse({ loss: 'hinge' })).toContain("The loss 'hinge' is neither one of mse, l1, huber");
    expect(refuse({ lossReduction: 'none' })).toContain("neither 'mean' nor 'sum'");
    expect(refuse({ outputWeights: [1, 2, 3] })).toContain(
      "3 output weights were given, but there are 2 outputs of 'y'",
    );
    expect(refuse({ targetKind: 'class-index' })).toContain("need loss 'cross-entropy'");
    expect(refuse({ loss: () => 'nowhere' })).toContain("returned 'nowhere', which is not a value");
    expect(refuse({ loss: (_: unknown, prediction: string) => prediction })).toContain('reduced to a scalar');
  });
});
