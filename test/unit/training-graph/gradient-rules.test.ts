import { describe, expect, test } from 'vitest';
import { float32Tensor, int64Tensor } from '../../../src/onnx/tensor.ts';
import { gradientRules } from '../../../src/training-graph/gradients/table.ts';
import { checkGradients, type GradientCase } from '../../support/gradient-check.ts';
import { attribute, type TestNode } from '../../support/single-op.ts';

const { int, ints, float, string } = attribute;

/** One node from `x`, `a`, ... to `y`. */
function node(op: string, inputs: string, attributes: TestNode['attributes'] = {}): readonly TestNode[] {
  return [
    {
      op,
      inputs: inputs === '' ? [] : inputs.split(' ').map((name) => (name === '_' ? '' : name)),
      outputs: ['y'],
      attributes,
    },
  ];
}

const indices = (values: number[], dims = [values.length]) => int64Tensor(dims, values);
const positive = (x: number): number => Math.abs(x) + 0.3;

/** Elementwise operators of one input, with values that stay off their kinks. */
const unary: Record<string, Partial<GradientCase> & { attributes?: TestNode['attributes'] }> = {
  Neg: {},
  Abs: {},
  Sqrt: { values: positive },
  Reciprocal: { values: positive },
  Exp: {},
  Log: { values: positive },
  Erf: {},
  Sin: {},
  Cos: {},
  Tan: { values: Math.sin },
  Atan: {},
  Sinh: {},
  Cosh: {},
  Relu: {},
  LeakyRelu: { attributes: { alpha: float(0.2) } },
  ThresholdedRelu: { attributes: { alpha: float(0.5) } },
  Elu: { attributes: { alpha: float(1.3) } },
  Selu: {},
  Celu: { attributes: { alpha: float(0.7) } },
  Sigmoid: {},
  Tanh: {},
  Softplus: {},
  Softsign: {},
  Mish: {},
  HardSigmoid: { values: (x) => 3 * x },
  HardSwish: { values: (x) => 3 * x },
  Identity: {},
  Dropout: {},
};

describe('elementwise operators', () => {
  test.each(Object.entries(unary))('%s', async (op, { attributes, ...rest }) => {
    await checkGradients({ inputs: { x: [3, 4] }, nodes: node(op, 'x', attributes), ...rest });
    await checkGradients({
      inputs: { x: [2, 3, 2] },
      nodes: node(op, 'x', attributes),
      dynamic: true,
      ...rest,
    });
  });

  test('Elu with alpha 1', () => checkGradients({ inputs: { x: [3, 4] }, nodes: node('Elu', 'x') }));

  test('Gelu, both forms', async () => {
    await checkGradients({ inputs: { x: [3, 4] }, nodes: node('Gelu', 'x'), opset: 20 });
    const tanh = { approximate: string('tanh') };
    await checkGradients({ inputs: { x: [3, 4] }, nodes: node('Gelu', 'x', tanh), opset: 20 });
  });

  test('Swish', async () => {
    // The wasm runtime has no kernel of it for operator set 24.
    const nodes = node('Swish', 'x', { alpha: float(1.5) });
    await checkGradients({ inputs: { x: [3, 4] }, nodes, opset: 24, float64Only: true });
  });

  test('Cast and CastLike from float32 to float32', async () => {
    await checkGradients({ inputs: { x: [3] }, nodes: node('Cast', 'x', { to: int(1) }) });
    await checkGradients({
      inputs: { x: [3] },
      constants: { c: float32Tensor([], [0]) },
      nodes: node('CastLike', 'x c'),
    });
  });

  test('Clip with one bound, the other, and both', async () => {
    const constants = { low: float32Tensor([], [-0.5]), high: float32Tensor([], [0.6]) };
    for (const bounds of ['low', '_ high', 'low high']) {
      await checkGradients({ inputs: { x: [4, 5] }, constants, nodes: node('Clip', `x ${bounds}`) });
    }
  });
});

describe('operators on pairs', () => {
  const pairs = ['Add', 'Sub', 'Mul', 'Div', 'Min', 'Max', 'Sum', 'Mean', 'PRelu'];
  const shapes: [number[], number[]][] = [
    [
      [3, 4],
      [3, 4],
    ],
    [[3, 4], [4]],
    [
      [2, 3, 4],
      [3, 1],
    ],
    [[2, 3, 4], []],
    [
      [2, 1, 4],
      [1, 1, 4],
    ],
  ];
  const values = (x: number, _: number, input: string): number => (input === 'b' ? positive(x) : x);

  test.each(pairs)('%s', async (op) => {
    for (const [a, b] of shapes) {
      await checkGradients({ inputs: { a, b }, nodes: node(op, 'a b'), values });
      await checkGradients({ inputs: { a, b }, nodes: node(op, 'a b'), values, dynamic: true });
      if (op !== 'PRelu') await checkGradients({ inputs: { a: b, b: a }, nodes: node(op, 'a b'), values });
    }
  });

  test('Mul of a value with itself', () =>
    checkGradients({ inputs: { x: [3, 4] }, nodes: node('Mul', 'x x') }));

  test('three operands', async () => {
    for (const op of ['Sum', 'Mean', 'Max', 'Min']) {
      await checkGradients({ inputs: { a: [3, 4], b: [4], c: [3, 1] }, nodes: node(op, 'a b c') });
    }
  });

  test('Pow with every kind of exponent', async () => {
    for (const exponent of [0, 1, 2, 3, 0.5, -1, 1.7]) {
      const constants = { p: float32Tensor([], [exponent]) };
      await checkGradients({ inputs: { x: [3, 4] }, constants, nodes: node('Pow', 'x p'), values: positive });
    }
    await checkGradients({ inputs: { x: [3, 4], p: [4] }, nodes: node('Pow', 'x p'), values: positive });
    const constants = { p: indices([2, 3, 1], [3]) };
    await checkGradients({ inputs: { x: [2, 3] }, constants, nodes: node('Pow', 'x p') });
  });

  test('Where', async () => {
    const constants = { zero: float32Tensor([], [0]) };
    const nodes: TestNode[] = [
      { op: 'Greater', inputs: ['c', 'zero'], outputs: ['mask'] },
      { op: 'Where', inputs: ['mask', 'a', 'b'], outputs: ['y'] },
    ];
    await checkGradients({ inputs: { c: [3, 4], a: [4], b: [3, 1] }, constants, nodes });
  });
});

describe('products', () => {
  test.each([
    [
      [3, 4],
      [4, 5],
    ],
    [
      [2, 3, 4],
      [4, 5],
    ],
    [
      [2, 3, 4],
      [2, 4, 5],
    ],
    [
      [2, 1, 3, 4],
      [5, 4, 2],
    ],
    [
      [3, 4],
      [2, 4, 5],
    ],
    [[4], [4, 5]],
    [[3, 4], [4]],
    [[4], [4]],
    [[4], [2, 4, 5]],
    [[2, 3, 4], [4]],
  ])('MatMul of %j and %j', async (a, b) => {
    await checkGradients({ inputs: { a, b }, nodes: node('MatMul', 'a b') });
    await checkGradients({ inputs: { a, b }, nodes: node('MatMul', 'a b'), dynamic: true });
  });

  test.each([0, 1, 2, 3])('Gemm, transposition %i', async (bits) => {
    const [transA, transB] = [bits & 1, bits >> 1];
    const attributes = { transA: int(transA), transB: int(transB), alpha: float(0.5), beta: float(2) };
    const inputs = { a: transA ? [4, 3] : [3, 4], b: transB ? [5, 4] : [4, 5], c: [5] };
    await checkGradients({ inputs, nodes: node('Gemm', 'a b c', attributes) });
    await checkGradients({
      inputs: { a: inputs.a, b: inputs.b },
      nodes: node('Gemm', 'a b', attributes),
      dynamic: true,
    });
  });

  test.each([
    ['ij,jk->ik', [3, 4], [4, 5]],
    ['bij,bjk->bik', [2, 3, 4], [2, 4, 5]],
    ['bhid,bhjd->bhij', [2, 2, 3, 4], [2, 2, 5, 4]],
    ['i,j->ij', [3], [4]],
    ['ij,k->i', [3, 4], [5]],
    // onnxruntime takes the size of an output axis from the first operand that has it, also where that is 1.
    ['ij,ij->ij', [3, 4], [3, 1]],
    ['ij,jk->ik', [3, 1], [4, 5]],
    ['bij,bjk->ik', [1, 3, 4], [2, 4, 5]],
  ])('Einsum %s', (equation, a, b) =>
    checkGradients({ inputs: { a, b }, nodes: node('Einsum', 'a b', { equation: string(equation) }) }),
  );

  test('Einsum with axes of size 1 that only the run knows', () =>
    checkGradients({
      inputs: { a: [3, 1], b: [4, 5] },
      nodes: node('Einsum', 'a b', { equation: string('ij,jk->ik') }),
      dynamic: true,
    }));
});

describe('reductions', () => {
  const reductions = ['Sum', 'Mean', 'Max', 'Min', 'L1', 'L2', 'SumSquare', 'LogSum', 'LogSumExp'];
  test.each(reductions.map((name) => `Reduce${name}`))('%s', async (op) => {
    const values = op === 'ReduceLogSum' ? positive : undefined;
    const common = { inputs: { x: [2, 3, 4] }, ...(values ? { values } : {}) };
    for (const keep of [0, 1]) {
      const attributes = { keepdims: int(keep) };
      await checkGradients({ ...common, nodes: node(op, 'x', attributes) });
      for (const axes of [[1], [-1], [0, 2]]) {
        const constants = { axes: indices(axes) };
        await checkGradients({ ...common, constants, nodes: node(op, 'x axes', attributes) });
        await checkGradients({ ...common, constants, nodes: node(op, 'x axes', attributes), dynamic: true });
      }
    }
  });

  test('axes as an attribute, before operator set 18', () =>
    checkGradients({
      inputs: { x: [2, 3, 4] },
      nodes: node('ReduceMean', 'x', { axes: ints([-2]) }),
      opset: 16,
    }));

  test.each(['Softmax', 'LogSoftmax'])('%s', async (op) => {
    for (const axis of [-1, 1, 0])
      await checkGradients({ inputs: { x: [2, 3, 4] }, nodes: node(op, 'x', { axis: int(axis) }) });
  });

  test('LayerNormalization', async () => {
    await checkGradients({
      inputs: { x: [3, 5], scale: [5], bias: [5] },
      nodes: node('LayerNormalization', 'x scale bias'),
    });
    const inputs = { x: [2, 3, 4], scale: [3, 4] };
    await checkGradients({ inputs, nodes: node('LayerNormalization', 'x scale', { axis: int(1) }) });
  });

  test('RMSNormalization', () =>
    checkGradients({
      inputs: { x: [3, 5], scale: [5] },
      nodes: node('RMSNormalization', 'x scale'),
      opset: 23,
      float64Only: true,
    }));

  test.each([[[4, 3]], [[2, 3, 4]], [[2, 3, 2, 2]]])('BatchNormalization of %j', (x) =>
    checkGradients({
      inputs: { x, scale: [3], bias: [3], mean: [3], variance: [3] },
      nodes: node('BatchNormalization', 'x scale bias mean variance'),
      values: (value, _, input) => (input === 'variance' ? positive(value) : value),
    }),
  );
});

describe('moving elements', () => {
  const cases: [string, GradientCase][] = [
    [
      'Reshape',
      { inputs: { x: [2, 3, 4] }, constants: { s: indices([0, -1]) }, nodes: node('Reshape', 'x s') },
    ],
    ['Flatten', { inputs: { x: [2, 3, 4] }, nodes: node('Flatten', 'x', { axis: int(2) }) }],
    [
      'Squeeze',
      { inputs: { x: [2, 1, 3, 1] }, constants: { a: indices([-1]) }, nodes: node('Squeeze', 'x a') },
    ],
    ['Squeeze all', { inputs: { x: [2, 1, 3, 1] }, nodes: node('Squeeze', 'x') }],
    [
      'Unsqueeze',
      { inputs: { x: [2, 3] }, constants: { a: indices([0, -1]) }, nodes: node('Unsqueeze', 'x a') },
    ],
    ['Transpose', { inputs: { x: [2, 3, 4] }, nodes: node('Transpose', 'x', { perm: ints([2, 0, 1]) }) }],
    ['Transpose reversed', { inputs: { x: [2, 3, 4] }, nodes: node('Transpose', 'x') }],
    ['Expand', { inputs: { x: [3, 1] }, constants: { s: indices([2, 1, 4]) }, nodes: node('Expand', 'x s') }],
    ['Tile', { inputs: { x: [2, 3] }, constants: { r: indices([2, 3]) }, nodes: node('Tile', 'x r') }],
    ['Concat', { inputs: { a: [2, 3], b: [2, 1] }, nodes: node('Concat', 'a b', { axis: int(-1) }) }],
    ['Pad', { inputs: { x: [2, 3] }, constants: { p: indices([0, 1, 2, 0]) }, nodes: node('Pad', 'x p') }],
    ['CumSum', { inputs: { x: [2, 4] }, constants: { a: indices([1], []) }, nodes: node('CumSum', 'x a') }],
    [
      'CumSum exclusive',
      {
        inputs: { x: [2, 4] },
        constants: { a: indices([-1], []) },
        nodes: node('CumSum', 'x a', { exclusive: int(1), reverse: int(1) }),
      },
    ],
    ['Trilu', { inputs: { x: [3, 4] }, nodes: node('Trilu', 'x', { upper: int(0) }) }],
    [
      'Split',
      {
        inputs: { x: [5, 2] },
        constants: { s: indices([2, 3]) },
        nodes: [{ op: 'Split', inputs: ['x', 's'], outputs: ['unused', 'y'], attributes: { axis: int(0) } }],
      },
    ],
    [
      'Split evenly',
      {
        inputs: { x: [2, 5] },
        nodes: [
          {
            op: 'Split',
            inputs: ['x'],
            outputs: ['a', 'b'],
            attributes: { axis: int(1), num_outputs: int(2) },
          },
          { op: 'Concat', inputs: ['b', 'a'], outputs: ['y'], attributes: { axis: int(1) } },
        ],
      },
    ],
  ];
  test.each(cases)('%s', async (name, testCase) => {
    await checkGradients(testCase);
    // Axes of size 1 can only be squeezed away unseen where the size is known.
    if (name !== 'Tile' && name !== 'Squeeze all') await checkGradients({ ...testCase, dynamic: true });
  });

  test.each([
    [[0], [2], [0], [1]],
    [[-2], [2 ** 40], [1], [1]],
    [[1], [-1], [-1], [1]],
    [
      [0, 1],
      [3, 4],
      [0, 2],
      [2, 1],
    ],
    [[3], [0], [2], [-1]],
    [[-1], [-(2 ** 40)], [2], [-2]],
  ])('Slice from %j to %j on axes %j by %j', async (start, end, axes, step) => {
    const constants = { s: indices(start), e: indices(end), a: indices(axes), t: indices(step) };
    const testCase = { inputs: { x: [3, 4, 5] }, constants, nodes: node('Slice', 'x s e a t') };
    await checkGradients(testCase);
    await checkGradients({ ...testCase, dynamic: true });
  });
});

describe('picking elements', () => {
  test.each([
    [0, [2], [3]],
    [1, [3, 0, 3, -1, 3], [5]],
    [1, [0, 2, 2, 1], [2, 2]],
    [-1, [1], []],
    [2, [4, 4, 4, 4, 4, 4, 4, 4, 4, 0, 1], [11]],
  ])('Gather on axis %i at %j', async (axis, values, dims) => {
    const constants = { i: indices(values, dims.length === 1 ? [values.length] : dims) };
    const testCase = {
      inputs: { x: [3, 4, 5] },
      constants,
      nodes: node('Gather', 'x i', { axis: int(axis) }),
    };
    await checkGradients(testCase);
    await checkGradients({ ...testCase, dynamic: true });
  });

  test('GatherElements and ScatterElements', async () => {
    const constants = { i: indices([0, 2, 1, 2, 2, 0], [2, 3]) };
    await checkGradients({
      inputs: { x: [2, 3] },
      constants,
      nodes: node('GatherElements', 'x i', { axis: int(1) }),
    });
    for (const reduction of ['add', 'none']) {
      const once = { i: indices([0, 2, 1, 0], [2, 2]) };
      const attributes = { axis: int(1), reduction: string(reduction) };
      await checkGradients({
        inputs: { x: [2, 3], u: [2, 2] },
        constants: once,
        nodes: node('ScatterElements', 'x i u', attributes),
      });
    }
    for (const reduction of ['add', 'max', 'min']) {
      const nodes = node('ScatterElements', 'x i u', { axis: int(1), reduction: string(reduction) });
      await checkGradients({ inputs: { x: [2, 3], u: [2, 3] }, constants, nodes });
    }
  });

  test('GatherND and ScatterND', async () => {
    const constants = { i: indices([0, 1, 2, 0, 0, 1], [3, 2]) };
    await checkGradients({ inputs: { x: [3, 2, 2] }, constants, nodes: node('GatherND', 'x i') });
    for (const reduction of ['add', 'max', 'min']) {
      await checkGradients({
        inputs: { x: [3, 2, 2], u: [3, 2] },
        constants,
        nodes: node('ScatterND', 'x i u', { reduction: string(reduction) }),
      });
    }
    const rows = { i: indices([2, 0], [2, 1]) };
    await checkGradients({
      inputs: { x: [3, 4], u: [2, 4] },
      constants: rows,
      nodes: node('ScatterND', 'x i u'),
    });
  });
});

describe('convolution and pooling', () => {
  const windows: [string, number[], number[], NonNullable<TestNode['attributes']>][] = [
    ['plain', [2, 3, 5, 4], [2, 3, 3, 2], {}],
    ['strides that leave a rest', [2, 2, 6, 6], [3, 2, 3, 3], { strides: ints([2, 2]) }],
    [
      'padding and dilation',
      [1, 2, 6, 5],
      [2, 2, 2, 2],
      { pads: ints([1, 0, 2, 1]), dilations: ints([2, 1]) },
    ],
    ['groups', [2, 4, 5], [6, 2, 3], { group: int(2), pads: ints([1, 1]), strides: ints([2]) }],
    ['depthwise', [2, 3, 4, 4], [3, 1, 2, 2], { group: int(3) }],
  ];
  test.each(windows)('Conv: %s', (_, x, w, attributes) =>
    checkGradients({ inputs: { x, w, b: [w[0]!] }, nodes: node('Conv', 'x w b', attributes) }),
  );

  test('ConvTranspose', async () => {
    await checkGradients({
      inputs: { x: [2, 3, 4, 3], w: [3, 2, 3, 2], b: [2] },
      nodes: node('ConvTranspose', 'x w b'),
    });
    const attributes = { strides: ints([2, 2]), pads: ints([1, 0, 0, 1]), output_padding: ints([1, 0]) };
    await checkGradients({
      inputs: { x: [2, 3, 4, 3], w: [3, 2, 3, 2] },
      nodes: node('ConvTranspose', 'x w', attributes),
    });
  });

  const pools: [string, NonNullable<TestNode['attributes']>][] = [
    ['whole windows', { kernel_shape: ints([2, 2]), strides: ints([2, 2]) }],
    ['overlapping', { kernel_shape: ints([3, 2]), strides: ints([2, 1]) }],
    ['padded', { kernel_shape: ints([3, 3]), strides: ints([2, 2]), pads: ints([1, 1, 1, 1]) }],
    ['ceil_mode', { kernel_shape: ints([3, 3]), strides: ints([2, 2]), ceil_mode: int(1) }],
  ];
  test.each(pools)('MaxPool and AveragePool: %s', async (_, attributes) => {
    const inputs = { x: [2, 3, 6, 6] };
    await checkGradients({ inputs, nodes: node('MaxPool', 'x', attributes) });
    await checkGradients({ inputs, nodes: node('AveragePool', 'x', attributes), opset: 19 });
    const counted = { ...attributes, count_include_pad: int(1) };
    await checkGradients({ inputs, nodes: node('AveragePool', 'x', counted), opset: 19 });
  });

  test('GlobalAveragePool', async () => {
    await checkGradients({ inputs: { x: [2, 3, 4, 5] }, nodes: node('GlobalAveragePool', 'x') });
    await checkGradients({
      inputs: { x: [2, 3, 4, 5] },
      nodes: node('GlobalAveragePool', 'x'),
      dynamic: true,
    });
  });
});

describe('making values from numbers', () => {
  test('Range', async () => {
    // Start, limit and delta; the limit has no slope.
    const values = (_x: number, _i: number, input: string): number => (input === 's' ? 0.3 : 0.7);
    const constants = { l: float32Tensor([], [2.5]) };
    const nodes = node('Range', 's l d');
    await checkGradients({ inputs: { s: [], d: [] }, constants, nodes, values });
  });

  test('OneHot', async () => {
    const constants = { i: indices([0, -1, 1, 2]), d: indices([3], []) };
    for (const axis of [-1, 0]) {
      const nodes = node('OneHot', 'i d v', { axis: int(axis) });
      await checkGradients({ inputs: { v: [2] }, constants, nodes });
    }
  });

  test('the border of Pad', () =>
    checkGradients({
      inputs: { x: [2, 3], v: [] },
      constants: { p: indices([1, 2]), a: indices([-1]) },
      nodes: node('Pad', 'x p v a'),
    }));

  test('bounds of Clip, also where they cross', async () => {
    for (const [low, high] of [
      [-0.5, 0.6],
      [0.6, -0.5],
    ]) {
      const values = (x: number, _: number, input: string): number =>
        input === 'low' ? low! : input === 'high' ? high! : x;
      const inputs = { x: [4, 5], low: [], high: [] };
      await checkGradients({ inputs, nodes: node('Clip', 'x low high'), values });
    }
  });
});

test('the table holds no operator that is not checked here', async () => {
  const { readFileSync } = await import('node:fs');
  const text = readFileSync(new URL(import.meta.url), 'utf8');
  // Those with files of their own: control-flow.test.ts, quantization.test.ts.
  const families = /^(Reduce|If$|DequantizeLinear$)/;
  const missing = Object.keys(gradientRules).filter(
    (op) => !families.test(op) && !new RegExp(`\\b${op}\\b`).test(text),
  );
  expect(missing).toEqual([]);
});
