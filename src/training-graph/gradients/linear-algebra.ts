import { floatAttribute, intAttribute, stringAttribute } from '../../onnx/attributes.ts';
import { parseEinsum } from '../../onnx/einsum.ts';
import type { GraphBuilder } from '../graph-builder.ts';
import type { GradientRule, RuleTable } from './rule.ts';

/** `op(a) op(b)` of two matrices, each optionally transposed. */
function product(graph: GraphBuilder, a: string, b: string, transA: boolean, transB: boolean): string {
  if (!transA && !transB) return graph.matMul(a, b);
  return graph.op('Gemm', [a, b], {
    ...(transA ? { transA: { int: 1 } } : {}),
    ...(transB ? { transB: { int: 1 } } : {}),
  });
}

const matMul: GradientRule = {
  note: 'ranks must be known',
  apply: ({ graph, gradient, input, needs, unsupported }) => {
    const [a, b] = [input(0), input(1)];
    const rankA = graph.rank(a);
    const rankB = graph.rank(b);
    if (rankA === undefined || rankB === undefined) return unsupported('operands of unknown rank');
    if (rankA === 2 && rankB === 2) {
      return [
        needs(0) ? product(graph, gradient, b, false, true) : undefined,
        needs(1) ? product(graph, a, gradient, true, false) : undefined,
      ];
    }
    return stackedMatMul(graph, gradient, { a, rankA, needsA: needs(0) }, { b, rankB, needsB: needs(1) });
  },
};

/** Vectors become matrices of one row or column; gradients are summed over stacks that were broadcast. */
function stackedMatMul(
  graph: GraphBuilder,
  gradient: string,
  { a, rankA, needsA }: { a: string; rankA: number; needsA: boolean },
  { b, rankB, needsB }: { b: string; rankB: number; needsB: boolean },
): [string | undefined, string | undefined] {
  const left = rankA === 1 ? graph.unsqueeze(a, [0]) : a;
  const right = rankB === 1 ? graph.unsqueeze(b, [1]) : b;
  const rows = rankA === 1 ? graph.unsqueeze(gradient, [rankB === 1 ? 0 : -2]) : gradient;
  const g = rankB === 1 ? graph.unsqueeze(rows, [-1]) : rows;
  const [leftRank, rightRank] = [Math.max(rankA, 2), Math.max(rankB, 2)];
  const gradientOfA = (): string => {
    const full = graph.matMul(g, graph.transposeMatrix(right, rightRank));
    return graph.reshapeLike(graph.sumLike(full, left), a);
  };
  const gradientOfB = (): string => {
    // A shared matrix: one product over all rows of all stacks instead of a stack of products and a sum.
    const columns = graph.shape(right)?.[1];
    const inner = graph.shape(right)?.[0];
    if (rightRank === 2 && leftRank > 2 && typeof columns === 'number' && typeof inner === 'number') {
      const flatLeft = graph.reshape(left, ['rows', inner]);
      const flatG = graph.reshape(g, ['rows', columns]);
      return graph.reshapeLike(product(graph, flatLeft, flatG, true, false), b);
    }
    const full = graph.matMul(graph.transposeMatrix(left, leftRank), g);
    return graph.reshapeLike(graph.sumLike(full, right), b);
  };
  return [needsA ? gradientOfA() : undefined, needsB ? gradientOfB() : undefined];
}

const gemm: GradientRule = {
  apply: ({ graph, gradient, input, node, needs }) => {
    const [a, b, c] = [input(0), input(1), input(2)];
    const transA = intAttribute(node, 'transA', 0) === 1;
    const transB = intAttribute(node, 'transB', 0) === 1;
    const g = graph.scale(gradient, floatAttribute(node, 'alpha', 1));
    const ofA = (): string =>
      transA ? product(graph, b, g, transB, true) : product(graph, g, b, false, !transB);
    const ofB = (): string =>
      transB ? product(graph, g, a, true, transA) : product(graph, a, g, !transA, false);
    const ofC = (): string => graph.sumLike(graph.scale(gradient, floatAttribute(node, 'beta', 1)), c);
    return [needs(0) ? ofA() : undefined, needs(1) ? ofB() : undefined, c && needs(2) ? ofC() : undefined];
  },
};

/**
 * The gradient of one operand is the einsum of the output's gradient and the other operands, reduced to its own labels.
 */
const einsum: GradientRule = {
  note: 'no ellipsis, no label twice in one operand',
  apply: ({ graph, gradient, node, input, needs, unsupported }) => {
    const text = stringAttribute(node, 'equation', '');
    const equation = parseEinsum(text);
    if (equation === undefined) return unsupported(`the equation '${text}'`);
    const repeats = (labels: readonly string[]): boolean => new Set(labels).size < labels.length;
    if (equation.inputs.some(repeats))
      return unsupported(`a label that occurs twice in one operand ('${text}')`);
    return equation.inputs.map((labels, index) => {
      if (!needs(index)) return undefined;
      const others = equation.inputs.filter((_, other) => other !== index);
      const present = new Set([equation.output, ...others].flat());
      const kept = labels.filter((label) => present.has(label));
      const operands = [gradient, ...equation.inputs.map((_, i) => input(i)).filter((_, i) => i !== index)];
      const terms = [equation.output, ...others].map((term) => term.join(''));
      const result = graph.op('Einsum', operands, {
        equation: { string: `${terms.join()}->${kept.join('')}` },
      });
      const alone = labels.flatMap((label, axis) => (present.has(label) ? [] : [axis]));
      // A label that only this operand has was summed over: its gradient is constant along that axis. An axis of size 1
      // was broadcast if another operand is longer, and vice versa.
      return broadcastTo(graph, graph.unsqueeze(result, alone), input(index));
    });
  },
};

/** Repeats axes of size 1 of `x`, and sums those that are 1 in `like` only: both have the same rank. */
function broadcastTo(graph: GraphBuilder, x: string, like: string): string {
  const [from, to] = [graph.shape(x), graph.shape(like)];
  const shorter = to?.some((size, axis) => size !== from?.[axis] && size !== 1) ?? true;
  return graph.sumLike(shorter ? graph.expandLike(x, like) : x, like);
}

/** Products of matrices and tensors. */
export const linearAlgebraRules: RuleTable = { MatMul: matMul, Gemm: gemm, Einsum: einsum };
