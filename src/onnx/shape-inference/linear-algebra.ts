import { intAttribute, stringAttribute } from '../attributes.ts';
import { broadcastShapes } from '../dimension.ts';
import { parseEinsum } from '../einsum.ts';
import type { Dimension } from '../graph.ts';
import type { InferenceRule } from './knowledge.ts';

const matMul: InferenceRule = ({ type, shape }) => {
  const elementType = type(0).elementType;
  const a = shape(0);
  const b = shape(1);
  if (a === undefined || b === undefined || a.length === 0 || b.length === 0) {
    return [{ elementType, shape: undefined }];
  }
  const left = a.length === 1 ? [1, ...a] : a;
  const right = b.length === 1 ? [...b, 1] : b;
  const batch = broadcastShapes([left.slice(0, -2), right.slice(0, -2)])!;
  const rows = a.length === 1 ? [] : [left.at(-2)];
  const columns = b.length === 1 ? [] : [right.at(-1)];
  return [{ elementType, shape: [...batch, ...rows, ...columns] }];
};

const gemm: InferenceRule = ({ node, type, shape }) => {
  const rows = shape(0)?.[intAttribute(node, 'transA', 0) === 1 ? 1 : 0];
  const columns = shape(1)?.[intAttribute(node, 'transB', 0) === 1 ? 0 : 1];
  return [{ elementType: type(0).elementType, shape: [rows, columns] }];
};

const einsum: InferenceRule = ({ node, type, shape }) => {
  const elementType = type(0).elementType;
  const equation = parseEinsum(stringAttribute(node, 'equation', ''));
  if (equation === undefined) return [{ elementType, shape: undefined }];
  const sizes = new Map<string, Dimension>();
  equation.inputs.forEach((labels, index) => {
    labels.forEach((label, axis) => {
      const size = shape(index)?.[axis];
      const known = sizes.get(label);
      // An axis of size 1 is repeated along that of another operand.
      if (!sizes.has(label) || known === 1) sizes.set(label, size);
      else if (size !== 1 && (typeof size === 'number' || known === undefined)) sizes.set(label, size);
    });
  });
  return [{ elementType, shape: equation.output.map((label) => sizes.get(label)) }];
};

/** Products of matrices and tensors. */
export const linearAlgebraRules: readonly (readonly [string, InferenceRule])[] = [
  ['MatMul', matMul],
  ['Gemm', gemm],
  ['Einsum', einsum],
];
