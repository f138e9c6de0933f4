import { activationRules } from './activation.ts';
import { arithmeticRules } from './arithmetic.ts';
import { controlFlowRules } from './control-flow.ts';
import { convolutionRules } from './convolution.ts';
import { generationRules } from './generation.ts';
import { indexingRules } from './indexing.ts';
import { linearAlgebraRules } from './linear-algebra.ts';
import { movementRules } from './movement.ts';
import { normalizationRules } from './normalization.ts';
import { quantizationRules } from './quantization.ts';
import { reductionRules } from './reduction.ts';
import type { GradientRule, RuleTable } from './rule.ts';
import { LINEAR_MAP, linearMapRule } from './linear-map.ts';
import type { OnnxNode } from '../../onnx/graph.ts';

/** Gradient rules by family; the families are the sections of the list of supported operators. */
export const ruleFamilies: Readonly<Record<string, RuleTable>> = {
  Arithmetic: arithmeticRules,
  Activations: activationRules,
  'Linear algebra': linearAlgebraRules,
  'Convolution and pooling': convolutionRules,
  Reductions: reductionRules,
  'Normalisation and softmax': normalizationRules,
  'Moving and repeating elements': movementRules,
  'Picking elements by index': indexingRules,
  Quantization: quantizationRules,
  'Making values from numbers': generationRules,
  'Control flow': controlFlowRules,
};

/** Gradient rules by standard operator. */
export const gradientRules: RuleTable = Object.assign({}, ...Object.values(ruleFamilies)) as RuleTable;

/** The rule of a node; undefined for operators without one. */
export function ruleOf(node: OnnxNode): GradientRule | undefined {
  if (node.domain === LINEAR_MAP.domain && node.opType === LINEAR_MAP.opType) return linearMapRule;
  return node.domain === '' && Object.hasOwn(gradientRules, node.opType)
    ? gradientRules[node.opType]
    : undefined;
}

/** Operators whose outputs do not change with small changes of their inputs: they end every path. */
export const withoutGradient: ReadonlySet<string> = new Set([
  ...['Shape', 'Size', 'ConstantOfShape', 'NonZero', 'EyeLike', 'ArgMax', 'ArgMin', 'Hardmax'],
  ...[
    'Equal',
    'Less',
    'LessOrEqual',
    'Greater',
    'GreaterOrEqual',
    'And',
    'Or',
    'Xor',
    'Not',
    'IsNaN',
    'IsInf',
  ],
  ...['Sign', 'Floor', 'Ceil', 'Round', 'Constant'],
  ...['BitwiseAnd', 'BitwiseOr', 'BitwiseXor', 'BitwiseNot', 'BitShift'],
  ...['RandomNormal', 'RandomUniform', 'RandomNormalLike', 'RandomUniformLike', 'Multinomial', 'Bernoulli'],
]);
