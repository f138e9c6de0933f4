import { intAttribute, stringAttribute } from '../attributes.ts';
import { broadcastShapes, canBroadcast, differ, shapeText } from '../dimension.ts';
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
  const batches = [left.slice(0, -2), right.slice(0, -2)];
  if (differ(left.at(-1), right.at(-2)) || !canBroadcast(batches))
    throw new RangeError(`${shapeText(a)} times ${shapeText(b)}`);
  const batch = broadcastShapes(batches)!;
  const rows = a.length === 1 ? [] : [left.at(-2)];
  const columns = b.length === 1 ? [] : [right.at(-1)];
  return [{ elementType, shape: [...batch, ...rows, ...columns] }];
};

const gemm: InferenceRule = ({ node, type, shape }) => {
  const [a, b] = [shape(0), shape(1)];
  const [rowsAxis, columnsAxis] = [
    Number(intAttribute(node, 'transA', 0) !== 0),
    Number(intAttribute(node, 'transB', 0) === 0),
  ];
  const matrices = [a, b].every((one) => one === undefined || one.length === 2);
  if (!matrices || differ(a?.[1 - rowsAxis], b?.[1 - columnsAxis]))
    throw new RangeError(`${shapeText(a)} times ${shapeText(b)}`);
  const rows = a?.[rowsAxis];
  const columns = b?.[columnsAxis];
  return [{ elementType: type(0).elementType, shape: [rows, columns] }];
};

const einsum: InferenceRule = ({ node, type, shape }) => {
  const elementType = type(0).elementType;
  const equation = parseEinsum(stringAttribute(node, 'equation', ''));
  if (equation === undefined) return [{ elementType, shape: undefined }];
  if (equation.inputs.length !== node.inputs.length)
    throw new RangeError(`an equation of ${equation.inputs.length} operands for ${node.inputs.length}`);
  const sizes = new Map<string, Dimension>();
  equation.inputs.forEach((labels, index) => {
    const rank = shape(index)?.length;
    if (rank !== undefined && rank !== labels.length)
      throw new RangeError(`labels '${labels.join('')}' for ${shapeText(shape(index))}`);
    labels.forEach((label, axis) => {
      const size = shape(index)?.[axis];
      const known = sizes.get(label);
      // An axis of size 1 is broadcast along that of another operand.
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
