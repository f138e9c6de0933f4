import { intAttribute, tensorAttribute } from '../attributes.ts';
import { DataType } from '../data-type.ts';
import { broadcastShapes } from '../dimension.ts';
import type { InferenceContext, InferenceRule } from './knowledge.ts';

const sameAsFirst: InferenceRule = ({ type, node }) => node.outputs.map(() => type(0));

const broadcast: InferenceRule = (context) => [
  { elementType: context.type(0).elementType, shape: broadcastInputs(context) },
];

const comparison: InferenceRule = (context) => [
  { elementType: DataType.bool, shape: broadcastInputs(context) },
];

function broadcastInputs({ node, shape }: InferenceContext) {
  return broadcastShapes(node.inputs.map((_, index) => shape(index)));
}

const isBoolean: InferenceRule = ({ shape }) => [{ elementType: DataType.bool, shape: shape(0) }];

const unary = [
  ...['Abs', 'Neg', 'Sign', 'Reciprocal', 'Sqrt', 'Exp', 'Log', 'Floor', 'Ceil', 'Round', 'Erf', 'Not'],
  ...['Sin', 'Cos', 'Tan', 'Asin', 'Acos', 'Atan', 'Sinh', 'Cosh', 'Asinh', 'Acosh', 'Atanh'],
  ...['Relu', 'Elu', 'Selu', 'Celu', 'LeakyRelu', 'ThresholdedRelu', 'Gelu', 'Sigmoid', 'Tanh', 'Softplus'],
  ...[
    'Softsign',
    'HardSigmoid',
    'HardSwish',
    'Swish',
    'Mish',
    'Clip',
    'Identity',
    'CumSum',
    'Trilu',
    'PRelu',
  ],
  ...['Softmax', 'LogSoftmax', 'Hardmax', 'LpNormalization', 'BitwiseNot'],
];

/** Operators that keep shapes or broadcast them. */
export const elementwiseRules: readonly (readonly [string, InferenceRule])[] = [
  ...unary.map((op) => [op, sameAsFirst] as const),
  ...['Add', 'Sub', 'Mul', 'Div', 'Pow', 'Mod', 'Min', 'Max', 'Sum', 'Mean'].map(
    (op) => [op, broadcast] as const,
  ),
  ...['BitwiseAnd', 'BitwiseOr', 'BitwiseXor', 'BitShift'].map((op) => [op, broadcast] as const),
  ...['Equal', 'Less', 'LessOrEqual', 'Greater', 'GreaterOrEqual', 'And', 'Or', 'Xor'].map(
    (op) => [op, comparison] as const,
  ),
  ...['IsNaN', 'IsInf'].map((op) => [op, isBoolean] as const),
  ['Where', (context) => [{ elementType: context.type(1).elementType, shape: broadcastInputs(context) }]],
  ['Cast', ({ node, shape }) => [{ elementType: intAttribute(node, 'to', 0), shape: shape(0) }]],
  ['CastLike', ({ type, shape }) => [{ elementType: type(1).elementType, shape: shape(0) }]],
  ['DequantizeLinear', ({ type, shape }) => [{ elementType: type(1).elementType, shape: shape(0) }]],
  [
    'QuantizeLinear',
    ({ node, type, shape }) => {
      const zeroPoint = node.inputs[2] ? type(2).elementType : undefined;
      const elementType = zeroPoint ?? intAttribute(node, 'output_dtype', DataType.uint8);
      return [{ elementType, shape: shape(0) }];
    },
  ],
  [
    'Dropout',
    ({ node, type, shape }) =>
      node.outputs.map((_, i) => (i === 0 ? type(0) : { elementType: DataType.bool, shape: shape(0) })),
  ],
  [
    'Constant',
    ({ node }) => {
      const value = tensorAttribute(node, 'value');
      return value === undefined ? [] : [{ elementType: value.elementType, shape: value.dims }];
    },
  ],
];
