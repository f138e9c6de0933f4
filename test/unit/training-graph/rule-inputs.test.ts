import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type CustomLoss, MagnitudeEdgeError } from '../../../src/index.ts';
import { buildTrainingGraph, type Tensor } from '../../../src/training-graph.ts';
import { float32Tensor, int64Tensor } from '../../../src/onnx/tensor.ts';
import { gradientRules, withoutGradient } from '../../../src/training-graph/gradients/table.ts';
import { ndArray, sizeOf, type NdArray } from '../../support/onnx-evaluator/array.ts';
import { evaluate } from '../../support/onnx-evaluator/evaluate.ts';
import { normalNumbers } from '../../support/random-numbers.ts';
import { relativeError, runOnnx } from '../../support/run-onnx.ts';
import { attribute, onnxFile, onnxModel, type TestModel, type TestNode } from '../../support/single-op.ts';

/** What the ONNX standard says of each operator's inputs (export/make_operator_inputs.py). */
interface StandardInput {
  readonly name: string;
  readonly float: boolean;
  readonly variadic: boolean;
}
const standard = JSON.parse(
  readFileSync(new URL('../../fixtures/operators/inputs.json', import.meta.url), 'utf8'),
) as Record<string, readonly StandardInput[]>;

/** A node whose every input that may hold float32 is one, away from kinks and steps. */
interface Sample {
  /** Shapes by input position. Those left out are constants, or absent. */
  readonly floats: Readonly<Record<number, readonly number[]>>;
  readonly constants?: Readonly<Record<number, Tensor>>;
  readonly attributes?: TestNode['attributes'];
  readonly values?: (normal: number, index: number, input: number) => number;
  readonly opset?: number;
}

const { int, ints, string } = attribute;
const indices = (values: number[], dims = [values.length]): Tensor => int64Tensor(dims, values);
const positive = (x: number): number => Math.abs(x) + 0.3;
const two: Sample = { floats: { 0: [2, 3], 1: [3] } };
const three: Sample = { floats: { 0: [2, 3], 1: [3], 2: [2, 1] } };
const reduced: Sample = { floats: { 0: [2, 3] }, constants: { 1: indices([1]) } };
const scatter: Sample['constants'] = { 1: indices([0, 2, 1, 0], [2, 2]) };

const samples: Readonly<Record<string, Sample>> = {
  Add: two,
  Sub: two,
  Mul: two,
  Div: { ...two, values: positive },
  Pow: { ...two, values: positive },
  PRelu: two,
  Min: three,
  Max: three,
  Sum: three,
  Mean: three,
  Where: {
    floats: { 1: [2, 3], 2: [3] },
    constants: { 0: { elementType: 9, dims: [2, 3], bytes: Uint8Array.from([1, 0, 1, 0, 0, 1]) } },
  },
  // A third below the lower bound, a third above the upper one.
  Clip: {
    floats: { 0: [3, 3], 1: [], 2: [] },
    values: (_, index, input) => (input === 0 ? [-2, 0.1, 2][index % 3]! : input === 1 ? -0.5 : 0.6),
  },
  Sqrt: { floats: { 0: [2, 3] }, values: positive },
  Reciprocal: { floats: { 0: [2, 3] }, values: positive },
  Log: { floats: { 0: [2, 3] }, values: positive },
  ReduceLogSum: { ...reduced, values: positive },
  Gelu: { floats: { 0: [2, 3] }, opset: 20 },
  Swish: { floats: { 0: [2, 3] }, opset: 24 },
  MatMul: { floats: { 0: [2, 3], 1: [3, 4] } },
  Gemm: { floats: { 0: [2, 3], 1: [3, 4], 2: [4] } },
  Einsum: { floats: { 0: [2, 3], 1: [3, 4] }, attributes: { equation: string('ij,jk->ik') } },
  Conv: { floats: { 0: [2, 2, 4], 1: [3, 2, 2], 2: [3] } },
  ConvTranspose: { floats: { 0: [2, 2, 4], 1: [2, 3, 2], 2: [3] } },
  MaxPool: { floats: { 0: [2, 2, 4] }, attributes: { kernel_shape: ints([2]) } },
  AveragePool: { floats: { 0: [2, 2, 4] }, attributes: { kernel_shape: ints([2]) } },
  GlobalAveragePool: { floats: { 0: [2, 2, 4] } },
  LayerNormalization: { floats: { 0: [2, 3], 1: [3], 2: [3] } },
  RMSNormalization: { floats: { 0: [2, 3], 1: [3] }, opset: 23 },
  BatchNormalization: {
    floats: { 0: [2, 3], 1: [3], 2: [3], 3: [3], 4: [3] },
    values: (x, _, input) => (input === 4 ? positive(x) : x),
  },
  Cast: { floats: { 0: [3] }, attributes: { to: int(1) } },
  CastLike: { floats: { 0: [3], 1: [2] } },
  Dropout: { floats: { 0: [3], 1: [] }, values: (x, _, input) => (input === 1 ? 0.5 : x) },
  Reshape: { floats: { 0: [2, 3] }, constants: { 1: indices([3, 2]) } },
  Squeeze: { floats: { 0: [1, 3] }, constants: { 1: indices([0]) } },
  Unsqueeze: { floats: { 0: [3] }, constants: { 1: indices([0]) } },
  Expand: { floats: { 0: [3] }, constants: { 1: indices([2, 3]) } },
  Concat: { floats: { 0: [2, 3], 1: [1, 3] }, attributes: { axis: int(0) } },
  Split: { floats: { 0: [3, 2] }, constants: { 1: indices([3]) }, attributes: { axis: int(0) } },
  Tile: { floats: { 0: [2, 3] }, constants: { 1: indices([2, 1]) } },
  Pad: { floats: { 0: [2, 3], 2: [] }, constants: { 1: indices([1, 0, 0, 2]) } },
  Slice: { floats: { 0: [3, 2] }, constants: { 1: indices([1]), 2: indices([3]) } },
  CumSum: { floats: { 0: [2, 3] }, constants: { 1: indices([1], []) } },
  Trilu: { floats: { 0: [3, 3] } },
  Gather: { floats: { 0: [3, 2] }, constants: { 1: indices([0, 2, 0]) } },
  GatherElements: { floats: { 0: [2, 3] }, constants: { 1: indices([1, 0, 1], [1, 3]) } },
  GatherND: { floats: { 0: [3, 2] }, constants: { 1: indices([2, 0, 2], [3, 1]) } },
  ScatterElements: { floats: { 0: [2, 3], 2: [2, 2] }, constants: scatter, attributes: { axis: int(1) } },
  ScatterND: { floats: { 0: [3, 2], 2: [2, 2] }, constants: { 1: indices([2, 0], [2, 1]) } },
  DequantizeLinear: {
    floats: { 1: [] },
    constants: { 0: { elementType: 3, dims: [2, 2], bytes: Uint8Array.from([1, 5, 7, 250]) } },
  },
  Range: { floats: { 0: [], 1: [], 2: [] }, values: (_x, _index, input) => [0.3, 2.5, 0.7][input]! },
  OneHot: {
    floats: { 0: [3], 1: [], 2: [2] },
    values: (x, index, input) => (input === 0 ? [0.5, 2.5, 1.5][index]! : input === 1 ? 3.5 : x),
  },
};

/** Operators of one input that need nothing else. */
const plain: Sample = { floats: { 0: [2, 3] } };
const sampleOf = (op: string): Sample => samples[op] ?? (op.startsWith('Reduce') ? reduced : plain);

const weightedSum: CustomLoss = (graph, prediction, target) => graph.reduceSum(graph.mul(prediction, target));

/** The model `y = op(2 p0, 2 p1, ...)`: gradients have to come through each input of the operator. */
function modelOf(op: string, { floats, constants = {}, attributes = {}, opset = 18 }: Sample): TestModel {
  const last = Math.max(...Object.keys(floats).map(Number), ...Object.keys(constants).map(Number));
  const positions = Object.keys(floats);
  const inputs = Array.from({ length: last + 1 }, (_, i) =>
    i in floats ? `v${i}` : i in constants ? `c${i}` : '',
  );
  return {
    inputs: Object.fromEntries(positions.map((i) => [`p${i}`, floats[Number(i)]!])),
    constants: {
      two: float32Tensor([], [2]),
      ...Object.fromEntries(Object.entries(constants).map(([i, tensor]) => [`c${i}`, tensor])),
    },
    nodes: [
      ...positions.map((i) => ({ op: 'Mul', inputs: [`p${i}`, 'two'], outputs: [`v${i}`] })),
      { op, inputs, outputs: ['y'], attributes },
    ],
    outputs: ['y'],
    opset,
  };
}

/** Values of the parameters, half of those the sample wants for the operator. */
function feedsOf({ floats, values = (x) => x }: Sample): Record<string, NdArray> {
  const normal = normalNumbers(7);
  return Object.fromEntries(
    Object.entries(floats).map(([i, dims]) => [
      `p${i}`,
      ndArray(
        dims,
        Array.from({ length: sizeOf(dims) }, (_, at) => Math.fround(values(normal(), at, Number(i)) / 2)),
      ),
    ]),
  );
}

function differences(
  loss: (feeds: Record<string, NdArray>) => number,
  feeds: Record<string, NdArray>,
  name: string,
) {
  const { dims, data } = feeds[name]!;
  const step = 1e-6;
  return Array.from(data, (x, i) => {
    const moved = (by: number): number => loss({ ...feeds, [name]: ndArray(dims, data.with(i, x + by)) });
    return (moved(step) - moved(-step)) / (2 * step);
  });
}

describe('each input of each rule that may hold float32 is differentiated or refused', () => {
  const withFloats = Object.keys(gradientRules).filter((op) => standard[op]!.some(({ float }) => float));
  test.each(withFloats)('%s', (op) => {
    const sample = sampleOf(op);
    const floats = standard[op]!.flatMap(({ float, variadic }, i) =>
      float ? (variadic ? [i, i + 1] : [i]) : [],
    );
    expect(Object.keys(sample.floats).map(Number), 'inputs of the sample').toEqual(
      expect.arrayContaining(floats),
    );
    const model = onnxModel(modelOf(op, sample));
    const feeds = feedsOf(sample);
    const result = evaluate(model, feeds).get('y')!;
    const normal = normalNumbers(8);
    const weights = ndArray(
      result.dims,
      result.data.map(() => Math.fround(normal())),
    );
    const loss = (at: Record<string, NdArray>): number =>
      evaluate(model, at)
        .get('y')!
        .data.reduce((sum, y, i) => sum + y * weights.data[i]!, 0);
    const rule = gradientRules[op]!;
    for (const name of Object.keys(feeds)) {
      const index = Number(name.slice(1));
      const expected = differences(loss, feeds, name);
      let built;
      try {
        built = buildTrainingGraph(model, { loss: weightedSum, wrt: [name], prediction: 'y' });
      } catch (error) {
        expect((error as MagnitudeEdgeError).code).toBe('unsupported-op');
        expect(rule.inputs, `input ${index} is refused`).not.toContain(index);
        continue;
      }
      const gradient = evaluate(built.model, { ...feeds, [built.target]: weights }).get(
        built.gradients[name]!,
      )!;
      // Central differences leave 1e-9, float32 constants in the rules 6e-8.
      expect(relativeError(gradient.data, expected), `gradient of input ${index}`).toBeLessThan(1e-6);
      const smooth = rule.withoutGradient?.includes(index) !== true;
      expect(built.disconnected, `input ${index}`).toEqual(smooth ? [] : [name]);
    }
  });
});

describe('operators that end a path do not change with small changes of their inputs', () => {
  // What is drawn at random is no function of its input.
  const random = /^(Random|Multinomial|Bernoulli)/;
  const tested = [...withoutGradient].filter(
    (op) => !random.test(op) && standard[op]!.some(({ float }) => float),
  );
  test.each(tested)('%s', async (op) => {
    const count = standard[op]!.length;
    const names = ['a', 'b'].slice(0, count);
    const bytes = onnxFile({
      inputs: Object.fromEntries(names.map((name) => [name, [2, 3]])),
      nodes: [
        { op, inputs: names, outputs: ['raw'] },
        { op: 'Cast', inputs: ['raw'], outputs: ['y'], attributes: { to: int(1) } },
      ],
      outputs: ['y'],
    });
    const normal = normalNumbers(3);
    const values = names.map(() => Array.from({ length: 6 }, normal));
    const at = (moved: number): ReturnType<typeof runOnnx> =>
      runOnnx(
        bytes,
        Object.fromEntries(
          names.map((name, i) => [name, { dims: [2, 3], data: values[i]!.map((x) => x + moved * (i + 1)) }]),
        ),
      );
    const [here, there] = [await at(0), await at(1e-3)];
    expect(Array.from(there.y!.data)).toEqual(Array.from(here.y!.data));
  });
});

test('a path through an input that a rule leaves out is refused, named with the value', () => {
  // LayerNormalization's rule has none of its statistics, the second and third output.
  const model = onnxModel({
    inputs: { x: [2, 3] },
    constants: { scale: float32Tensor([3], [1, 1, 1]) },
    nodes: [{ op: 'LayerNormalization', inputs: ['x', 'scale', ''], outputs: ['', 'y'] }],
    outputs: ['y'],
  });
  expect(() => buildTrainingGraph(model, { wrt: ['x'] })).toThrow(/has no gradient rule for its statistics/);
});
