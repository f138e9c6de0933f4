import { combine, filled, map, ndArray, type NdArray } from './array.ts';
import { axisFromFront, type Evaluation, type Operator } from './operator.ts';

/** The error function by its Taylor series, and by the continued fraction of its tail: 15 digits. */
export function erf(x: number): number {
  const size = Math.abs(x);
  if (size > 3) {
    let fraction = 0;
    for (let k = 60; k >= 1; k--) fraction = k / 2 / (size + fraction);
    return Math.sign(x) * (1 - Math.exp(-size * size) / ((size + fraction) * Math.sqrt(Math.PI)));
  }
  let term = x;
  let sum = x;
  for (let k = 1; k < 200; k++) {
    term *= (-x * x) / k;
    sum += term / (2 * k + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

const unary = (f: (x: number, evaluation: Evaluation) => number): Operator => {
  return (evaluation) => [map(evaluation.input(0), (x) => f(x, evaluation))];
};
const nary = (f: (...values: number[]) => number): Operator => {
  return ({ inputs }) => [combine(inputs as NdArray[], f)];
};
const truth = (f: (a: number, b: number) => boolean): Operator => nary((a, b) => Number(f(a, b)));

const gelu: Operator = ({ input, string }) => [
  map(input(0), (x) =>
    string('approximate', 'none') === 'tanh'
      ? 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))
      : 0.5 * x * (1 + erf(x / Math.SQRT2)),
  ),
];

const clip: Operator = ({ input, inputs }) => [
  map(input(0), (x) =>
    Math.min(Math.max(x, inputs[1]?.data[0] ?? -Infinity), inputs[2]?.data[0] ?? Infinity),
  ),
];

const dequantize: Operator = ({ input, inputs, int }) => {
  const [x, scale, zero] = [input(0), input(1), inputs[2] ?? filled([], 0)];
  const axis = axisFromFront(int('axis', 1), x.dims.length);
  // A single scale broadcasts by itself; scales along the axis get trailing axes of size 1.
  const along = (array: NdArray): NdArray => {
    const trailing = array.dims.length === 0 ? 0 : x.dims.length - 1 - axis;
    return ndArray([...array.dims, ...Array<number>(trailing).fill(1)], array.data);
  };
  return [combine([x, along(scale), along(zero)], (q, s, z) => (q - z) * s)];
};

/** Casts to integers truncate towards zero; booleans are 0 and 1. */
const cast: Operator = ({ input, int }) => [
  map(input(0), (x) => {
    const to = int('to', 1);
    return to === 1 || to === 11 ? x : to === 9 ? Number(x !== 0) : Math.trunc(x);
  }),
];

export const elementwiseOperators: Readonly<Record<string, Operator>> = {
  Add: nary((a, b) => a + b),
  Sub: nary((a, b) => a - b),
  Mul: nary((a, b) => a * b),
  Div: nary((a, b) => a / b),
  Pow: nary((a, b) => a ** b),
  Sum: nary((...values) => values.reduce((a, b) => a + b)),
  Mean: nary((...values) => values.reduce((a, b) => a + b) / values.length),
  Min: nary((...values) => Math.min(...values)),
  Max: nary((...values) => Math.max(...values)),
  Where: nary((c, a, b) => (c !== 0 ? a : b)),
  Equal: truth((a, b) => a === b),
  Less: truth((a, b) => a < b),
  LessOrEqual: truth((a, b) => a <= b),
  Greater: truth((a, b) => a > b),
  GreaterOrEqual: truth((a, b) => a >= b),
  And: truth((a, b) => a !== 0 && b !== 0),
  Or: truth((a, b) => a !== 0 || b !== 0),
  Not: unary((x) => Number(x === 0)),
  IsNaN: unary((x) => Number(Number.isNaN(x))),
  Neg: unary((x) => -x),
  Abs: unary(Math.abs),
  Sign: unary(Math.sign),
  Sqrt: unary(Math.sqrt),
  Exp: unary(Math.exp),
  Log: unary(Math.log),
  Reciprocal: unary((x) => 1 / x),
  Erf: unary(erf),
  Sin: unary(Math.sin),
  Cos: unary(Math.cos),
  Tan: unary(Math.tan),
  Atan: unary(Math.atan),
  Sinh: unary(Math.sinh),
  Cosh: unary(Math.cosh),
  Tanh: unary(Math.tanh),
  Sigmoid: unary(sigmoid),
  Softplus: unary(softplus),
  Softsign: unary((x) => x / (1 + Math.abs(x))),
  Mish: unary((x) => x * Math.tanh(softplus(x))),
  Relu: unary((x) => Math.max(x, 0)),
  LeakyRelu: unary((x, { float }) => (x > 0 ? x : float('alpha', 0.01) * x)),
  Elu: unary((x, { float }) => (x > 0 ? x : float('alpha', 1) * Math.expm1(x))),
  Celu: unary(
    (x, { float }) => Math.max(x, 0) + Math.min(0, float('alpha', 1) * Math.expm1(x / float('alpha', 1))),
  ),
  Selu: unary((x, { float }) => {
    const alpha = float('alpha', 1.6732632423543772);
    return float('gamma', 1.0507009873554805) * (x > 0 ? x : alpha * Math.expm1(x));
  }),
  ThresholdedRelu: unary((x, { float }) => (x > float('alpha', 1) ? x : 0)),
  HardSigmoid: unary((x, { float }) =>
    Math.max(0, Math.min(1, float('alpha', 0.2) * x + float('beta', 0.5))),
  ),
  HardSwish: unary((x) => x * Math.max(0, Math.min(1, x / 6 + 0.5))),
  Swish: unary((x, { float }) => x * sigmoid(float('alpha', 1) * x)),
  PRelu: nary((x, slope) => (x > 0 ? x : slope * x)),
  Identity: unary((x) => x),
  Dropout: unary((x) => x),
  CastLike: unary((x) => x),
  Cast: cast,
  DequantizeLinear: dequantize,
  Clip: clip,
  Gelu: gelu,
};
