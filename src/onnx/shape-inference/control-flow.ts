import type { Dimension, TensorType } from '../graph.ts';
import { graphAttribute } from '../subgraphs.ts';
import type { InferenceRule } from './knowledge.ts';

/** What both branches agree on. */
const branches: InferenceRule = ({ node, outputsOf }) => {
  const [yes, no] = ['then_branch', 'else_branch'].map((name) => graphAttribute(node, name));
  if (yes === undefined || no === undefined) return [];
  const [whenTrue, whenFalse] = [outputsOf(yes), outputsOf(no)];
  return node.outputs.map((_, i) => common(whenTrue[i], whenFalse[i]));
};

function common(a: TensorType | undefined, b: TensorType | undefined): TensorType {
  const elementType = a?.elementType === b?.elementType ? a?.elementType : undefined;
  const sameRank = a?.shape !== undefined && a.shape.length === b?.shape?.length;
  const shape = sameRank
    ? a.shape.map((size, axis): Dimension => (size === b.shape![axis] ? size : undefined))
    : undefined;
  return { elementType, shape };
}

/** Operators with subgraphs. Outputs of Loop and Scan keep the types that the file declares. */
export const controlFlowRules: readonly (readonly [string, InferenceRule])[] = [['If', branches]];
