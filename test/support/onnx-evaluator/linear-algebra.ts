import {
  at,
  broadcastDims,
  combine,
  filled,
  generate,
  map,
  reduce,
  reshape,
  transpose,
  type NdArray,
} from './array.ts';
import { axisFromFront, type Evaluation, type Operator } from './operator.ts';

const matMul: Operator = ({ input }) => {
  const a = input(0).dims.length === 1 ? reshape(input(0), [1, ...input(0).dims]) : input(0);
  const b = input(1).dims.length === 1 ? reshape(input(1), [...input(1).dims, 1]) : input(1);
  const stacks = broadcastDims([filled(a.dims.slice(0, -2), 0), filled(b.dims.slice(0, -2), 0)]);
  const inner = a.dims.at(-1)!;
  if (inner !== b.dims.at(-2)) throw new Error('inner sizes of a product differ');
  const full = generate([...stacks, a.dims.at(-2)!, b.dims.at(-1)!], (index) => {
    const lead = index.slice(0, -2);
    let sum = 0;
    for (let k = 0; k < inner; k++)
      sum += at(a, [...lead, index.at(-2)!, k]) * at(b, [...lead, k, index.at(-1)!]);
    return sum;
  });
  const dims = [
    ...stacks,
    ...(input(0).dims.length === 1 ? [] : [a.dims.at(-2)!]),
    ...(input(1).dims.length === 1 ? [] : [b.dims.at(-1)!]),
  ];
  return [reshape(full, dims)];
};

const gemm: Operator = ({ input, inputs, int, float }) => {
  const a = int('transA', 0) === 1 ? transpose(input(0), [1, 0]) : input(0);
  const b = int('transB', 0) === 1 ? transpose(input(1), [1, 0]) : input(1);
  const c = inputs[2] ?? filled([], 0);
  return [
    generate([a.dims[0]!, b.dims[1]!], ([i, j]) => {
      let sum = 0;
      for (let k = 0; k < a.dims[1]!; k++) sum += at(a, [i!, k]) * at(b, [k, j!]);
      return float('alpha', 1) * sum + float('beta', 1) * at(c, [i!, j!]);
    }),
  ];
};

const einsum: Operator = ({ inputs, string }) => {
  const [left = '', right = ''] = string('equation', '').split('->');
  const terms = left.split(',');
  const sizes = new Map<string, number>();
  terms.forEach((term, i) => {
    Array.from(term).forEach((label, axis) =>
      sizes.set(label, Math.max(sizes.get(label) ?? 1, inputs[i]!.dims[axis]!)),
    );
  });
  const labels = [...sizes.keys()];
  const summed = labels.filter((label) => !right.includes(label));
  const order = [...Array.from(right), ...summed];
  const product = generate(
    order.map((label) => sizes.get(label)!),
    (index) =>
      terms.reduce((value, term, i) => {
        const own = Array.from(term, (label) => index[order.indexOf(label)]!);
        return value * at(inputs[i]!, own);
      }, 1),
  );
  const axes = summed.map((_, i) => right.length + i);
  const kept = reduce(product, axes, (values) => values.reduce((a, b) => a + b, 0));
  return [reshape(kept, kept.dims.slice(0, right.length))];
};

function axesOf({ input, inputs, ints, int }: Evaluation): number[] {
  const given = ints('axes') ?? (inputs[1] ? [...inputs[1].data] : []);
  const rank = input(0).dims.length;
  if (given.length > 0) return given.map((axis) => axisFromFront(axis, rank));
  return int('noop_with_empty_axes', 0) === 1 ? [] : input(0).dims.map((_, axis) => axis);
}

const reduction = (f: (values: number[]) => number): Operator => {
  return (evaluation) => {
    const axes = axesOf(evaluation);
    const kept = reduce(evaluation.input(0), axes, f);
    if (evaluation.int('keepdims', 1) === 1) return [kept];
    return [
      reshape(
        kept,
        kept.dims.filter((_, axis) => !axes.includes(axis)),
      ),
    ];
  };
};

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const mean = (values: readonly number[]): number => sum(values) / values.length;

const softmax =
  (log: boolean): Operator =>
  ({ input, int }) => {
    const axis = axisFromFront(int('axis', -1), input(0).dims.length);
    const top = reduce(input(0), [axis], (values) => Math.max(...values));
    const shifted = combine([input(0), top], (x, m) => x - m);
    const total = reduce(map(shifted, Math.exp), [axis], sum);
    return [combine([shifted, total], (x, t) => (log ? x - Math.log(t) : Math.exp(x) / t))];
  };

function normalized(x: NdArray, axes: readonly number[], epsilon: number, centre: boolean): NdArray {
  const centred = centre ? combine([x, reduce(x, axes, mean)], (a, m) => a - m) : x;
  const variance = reduce(
    map(centred, (a) => a * a),
    axes,
    mean,
  );
  return combine([centred, variance], (a, v) => a / Math.sqrt(v + epsilon));
}

const lastAxes = ({ input, int }: Evaluation): number[] => {
  const first = axisFromFront(int('axis', -1), input(0).dims.length);
  return input(0)
    .dims.map((_, axis) => axis)
    .filter((axis) => axis >= first);
};

const layerNormalization: Operator = (evaluation) => {
  const { input, inputs, float } = evaluation;
  const y = normalized(input(0), lastAxes(evaluation), float('epsilon', 1e-5), true);
  return [combine([y, input(1), inputs[2] ?? filled([], 0)], (x, scale, bias) => x * scale + bias)];
};

const rmsNormalization: Operator = (evaluation) => {
  const y = normalized(evaluation.input(0), lastAxes(evaluation), evaluation.float('epsilon', 1e-5), false);
  return [combine([y, evaluation.input(1)], (x, scale) => x * scale)];
};

const batchNormalization: Operator = ({ input, float }) => {
  const channel = (i: number): NdArray =>
    reshape(input(i), [
      input(i).data.length,
      ...input(0)
        .dims.slice(2)
        .map(() => 1),
    ]);
  return [
    combine(
      [input(0), ...[1, 2, 3, 4].map(channel)],
      (x, scale, bias, m, v) => ((x - m) / Math.sqrt(v + float('epsilon', 1e-5))) * scale + bias,
    ),
  ];
};

export const linearAlgebraOperators: Readonly<Record<string, Operator>> = {
  MatMul: matMul,
  Gemm: gemm,
  Einsum: einsum,
  ReduceSum: reduction(sum),
  ReduceMean: reduction(mean),
  ReduceMax: reduction((values) => Math.max(...values)),
  ReduceMin: reduction((values) => Math.min(...values)),
  ReduceProd: reduction((values) => values.reduce((a, b) => a * b, 1)),
  ReduceL1: reduction((values) => sum(values.map(Math.abs))),
  ReduceL2: reduction((values) => Math.hypot(...values)),
  ReduceSumSquare: reduction((values) => sum(values.map((x) => x * x))),
  ReduceLogSum: reduction((values) => Math.log(sum(values))),
  ReduceLogSumExp: reduction((values) => Math.log(sum(values.map(Math.exp)))),
  Softmax: softmax(false),
  LogSoftmax: softmax(true),
  LayerNormalization: layerNormalization,
  RMSNormalization: rmsNormalization,
  BatchNormalization: batchNormalization,
};
