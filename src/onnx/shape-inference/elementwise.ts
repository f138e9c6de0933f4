import { intAttribute, tensorAttribute } from '../attributes.ts';
import { bitsPerElement, DataType, dataTypeName, type ElementType } from '../data-type.ts';
import { broadcastShapes, canBroadcast, shapeText } from '../dimension.ts';
import type { OnnxNode } from '../graph.ts';
import type { InferenceContext, InferenceRule } from './knowledge.ts';

const sameAsFirst: InferenceRule = ({ type, node }) => node.outputs.map(() => type(0));

/** The same, for operators along an axis, which has to exist. */
const alongAxis: InferenceRule = ({ node, type, shape, axis }) => {
  const rank = shape(0)?.length;
  if (rank !== undefined) axis(intAttribute(node, 'axis', -1), rank);
  return [type(0)];
};

const broadcast: InferenceRule = (context) => [
  { elementType: context.type(0).elementType, shape: broadcastInputs(context) },
];

const comparison: InferenceRule = (context) => [
  { elementType: DataType.bool, shape: broadcastInputs(context) },
];

function broadcastInputs({ node, shape }: InferenceContext) {
  const shapes = node.inputs.map((_, index) => shape(index));
  if (!canBroadcast(shapes)) throw new RangeError(`${shapes.map(shapeText).join(' and ')} do not broadcast`);
  return broadcastShapes(shapes);
}

function castType(node: OnnxNode): ElementType {
  const type = intAttribute(node, 'to', 0);
  if (type === DataType.string || bitsPerElement(type) !== undefined) return type;
  throw new RangeError(`there is no ${dataTypeName(type)}`);
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
  'BitwiseNot',
];

/** Operators that keep shapes or broadcast them. */
export const elementwiseRules: readonly (readonly [string, InferenceRule])[] = [
  ...unary.map((op) => [op, sameAsFirst] as const),
  ...['Softmax', 'LogSoftmax', 'Hardmax', 'LpNormalization'].map((op) => [op, alongAxis] as const),
  ...['Add', 'Sub', 'Mul', 'Div', 'Pow', 'Mod', 'Min', 'Max', 'Sum', 'Mean'].map(
    (op) => [op, broadcast] as const,
  ),
  ...['BitwiseAnd', 'BitwiseOr', 'BitwiseXor', 'BitShift'].map((op) => [op, broadcast] as const),
  ...['Equal', 'Less', 'LessOrEqual', 'Greater', 'GreaterOrEqual', 'And', 'Or', 'Xor'].map(
    (op) => [op, comparison] as const,
  ),
  ...['IsNaN', 'IsInf'].map((op) => [op, isBoolean] as const),
  ['Where', (context) => [{ elementType: context.type(1).elementType, shape: broadcastInputs(context) }]],
  ['Cast', ({ node, shape }) => [{ elementType: castType(node), shape: shape(0) }]],
  ['CastLike', ({ type, shape }) => [{ elementType: type(1).elementType, shape: shape(0) }]],
  ['DequantizeLinear', ({ type, shape }) => [{ elementType: type(1).elementType, shape: shape(0) }]],
  [
    'QuantizeLinear',
    ({ node, type, shape }) => {
      const zeroPoint = node.inputs[2] ? type(2).elementType : undefined;
      const elementType = zeroPoint ?? (intAttribute(node, 'output_dtype', 0) || DataType.uint8);
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
