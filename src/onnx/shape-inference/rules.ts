import { controlFlowRules } from './control-flow.ts';
import { convolutionRules } from './convolution.ts';
import { elementwiseRules } from './elementwise.ts';
import type { InferenceRule } from './knowledge.ts';
import { linearAlgebraRules } from './linear-algebra.ts';
import { movementRules } from './movement.ts';
import { reductionRules } from './reduction.ts';

/** Output types by operator. Outputs of operators not listed keep the types that the file declares. */
export const inferenceRules: ReadonlyMap<string, InferenceRule> = new Map([
  ...elementwiseRules,
  ...movementRules,
  ...reductionRules,
  ...linearAlgebraRules,
  ...convolutionRules,
  ...controlFlowRules,
]);
