import { MagnitudeEdgeError } from '../errors.ts';
import { describeNode } from './attributes.ts';
import type { OnnxNode } from './graph.ts';

/** Fewest inputs required and most accepted by any version of an operator from operator set 13 on. */
const table: readonly (readonly [least: number, most: number, operators: string])[] = [
  [0, 0, 'Constant RandomNormal RandomUniform SequenceEmpty'],
  [0, 1, 'Optional OptionalHasElement'],
  [0, Infinity, 'Loop'],
  [
    1,
    1,
    `Abs Acos Acosh ArgMax ArgMin Asin Asinh Atan Atanh AveragePool Bernoulli BitCast BitwiseNot
    BlackmanWindow Cast Ceil Celu ConcatFromSequence ConstantOfShape Cos Cosh DepthToSpace Det
    DynamicQuantizeLinear Elu Erf Exp EyeLike Flatten Floor Gelu GlobalAveragePool GlobalLpPool
    GlobalMaxPool HammingWindow HannWindow HardSigmoid HardSwish Hardmax Identity If ImageDecoder
    IsInf IsNaN LRN LeakyRelu Log LogSoftmax LpNormalization LpPool MaxPool
    MeanVarianceNormalization Mish Multinomial Neg NonZero Not OptionalGetElement RandomNormalLike
    RandomUniformLike Reciprocal RegexFullMatch Relu Round Selu SequenceLength Shape Shrink Sigmoid
    Sign Sin Sinh Size Softmax Softplus Softsign SpaceToDepth Sqrt StringNormalizer StringSplit
    Swish Tan Tanh TfIdfVectorizer ThresholdedRelu Transpose Unique`,
  ],
  [
    1,
    2,
    `ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd
    ReduceSum ReduceSumSquare SequenceErase Split SplitToSequence Squeeze Trilu`,
  ],
  [1, 3, 'Clip DFT Dropout'],
  [1, 4, 'Resize'],
  [1, Infinity, 'Concat Einsum Max Mean Min Scan SequenceConstruct SequenceMap Sum'],
  [
    2,
    2,
    `Add AffineGrid And BitShift BitwiseAnd BitwiseOr BitwiseXor CastLike CenterCropPad Compress
    CumProd CumSum Div Equal Expand Gather GatherElements GatherND Greater GreaterOrEqual GridSample
    Less LessOrEqual MatMul MaxRoiPool Mod Mul Or PRelu Pow RMSNormalization Reshape ReverseSequence
    SequenceAt StringConcat Sub SwiGLU Tile TopK Unsqueeze Upsample Xor`,
  ],
  [
    2,
    3,
    `Conv ConvTranspose DequantizeLinear Gemm LayerNormalization MaxUnpool NegativeLogLikelihoodLoss
    QuantizeLinear SequenceInsert SoftmaxCrossEntropyLoss TensorScatter`,
  ],
  [2, 4, 'CausalConvWithState ConvInteger MatMulInteger Pad STFT'],
  [2, 5, 'NonMaxSuppression'],
  [
    3,
    3,
    `Col2Im GroupNormalization InstanceNormalization OneHot Range RoiAlign Scatter ScatterElements
    ScatterND Where`,
  ],
  [3, 4, 'RotaryEmbedding'],
  [3, 5, 'DeformConv Slice'],
  [3, 6, 'GRU LinearAttention RNN'],
  [3, 7, 'Attention'],
  [3, 8, 'LSTM'],
  [5, 5, 'BatchNormalization MelWeightMatrix'],
  [8, 8, 'QLinearMatMul'],
  [8, 9, 'QLinearConv'],
];

const arities: ReadonlyMap<string, readonly [number, number]> = new Map(
  table.flatMap(([least, most, operators]) =>
    operators.split(/\s+/).map((operator) => [operator, [least, most]] as const),
  ),
);

/** Throws `invalid-model` for a standard operator with too few or too many inputs. Operators not known here pass. */
export function requireArity(node: OnnxNode): void {
  const arity = node.domain === '' ? arities.get(node.opType) : undefined;
  if (arity === undefined) return;
  const [least, most] = arity;
  let given = 0;
  while (given < least && (node.inputs[given] ?? '') !== '') given++;
  if (given === least && node.inputs.length <= most) return;
  const expected =
    least === most ? String(least) : most === Infinity ? `at least ${least}` : `${least} to ${most}`;
  const found = given < least ? `input ${given} is missing` : `it has ${node.inputs.length}`;
  throw new MagnitudeEdgeError(
    'invalid-model',
    `${describeNode(node)} takes ${expected} inputs, but ${found}.`,
  );
}
