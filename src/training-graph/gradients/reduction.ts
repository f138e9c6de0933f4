import { intAttribute } from '../../onnx/attributes.ts';
import { DataType } from '../../onnx/data-type.ts';
import type { GraphBuilder } from '../graph-builder.ts';
import type { GradientRule, RuleContext, RuleTable } from './rule.ts';

/** The axes that a reduction runs over, from the front; undefined if they are known only at run time. */
function reducedAxes({ graph, node, input, unsupported }: RuleContext): readonly number[] | undefined {
  const rank = graph.rank(input(0));
  const axes = node.inputs[1] ? graph.contents(input(1)) : [];
  if (axes === undefined || rank === undefined) return undefined;
  if (axes.length === 0) {
    if (intAttribute(node, 'noop_with_empty_axes', 0) === 1) return [];
    return Array.from({ length: rank }, (_, axis) => axis);
  }
  return axes.map((axis) => {
    if (typeof axis !== 'number') return unsupported('axes that are known only when the graph runs');
    return axis < 0 ? axis + rank : axis;
  });
}

/** A value of the output's shape with the reduced axes restored, as axes of size 1. */
function withReducedAxes(context: RuleContext, value: string): string {
  const { graph, node, unsupported } = context;
  if (intAttribute(node, 'keepdims', 1) === 1) return value;
  // A scalar broadcasts against any shape.
  if (!node.inputs[1] && intAttribute(node, 'noop_with_empty_axes', 0) === 0) return value;
  const axes = reducedAxes(context) ?? unsupported('axes or ranks that are known only when the graph runs');
  return graph.unsqueeze(
    value,
    [...axes].sort((a, b) => a - b),
  );
}

/** The number of elements that each output element is reduced from, as a float32 scalar. */
function reducedCount(context: RuleContext): string {
  const { graph, input, output } = context;
  const axes = reducedAxes(context);
  if (axes !== undefined) return graph.elementCount(input(0), axes);
  return graph.div(graph.elementCount(input(0)), graph.elementCount(output(0)));
}

/** A rule whose gradient is `factor`, computed from the output's gradient `g`, spread over the reduced axes. */
function reduction(
  factor: (graph: GraphBuilder, x: string, y: string, g: string, context: RuleContext) => string,
  note?: string,
): GradientRule {
  return {
    inputs: [0],
    withoutGradient: [1],
    apply: (context) => {
      const { graph, gradient, input, output } = context;
      const g = withReducedAxes(context, gradient);
      const y = withReducedAxes(context, output(0));
      return [graph.expandLike(factor(graph, input(0), y, g, context), input(0))];
    },
    ...(note === undefined ? {} : { note }),
  };
}

const sum: GradientRule = {
  inputs: [0],
  withoutGradient: [1],
  apply: (context) => [
    context.graph.expandLike(withReducedAxes(context, context.gradient), context.input(0)),
  ],
};

const mean: GradientRule = {
  inputs: [0],
  withoutGradient: [1],
  apply: (context) => {
    const { graph, gradient, input } = context;
    const share = graph.div(gradient, reducedCount(context));
    return [graph.expandLike(withReducedAxes(context, share), input(0))];
  },
};

const extremum: GradientRule = {
  inputs: [0],
  withoutGradient: [1],
  note: 'ties share the gradient equally',
  apply: (context) => {
    const { graph, gradient, input, output } = context;
    const x = input(0);
    const chosen = graph.cast(graph.op('Equal', [x, withReducedAxes(context, output(0))]), DataType.float32);
    const axes =
      reducedAxes(context) ?? context.unsupported('axes or ranks that are known only when the graph runs');
    const ties = graph.reduceSum(chosen, axes, true);
    return [graph.mul(chosen, graph.div(withReducedAxes(context, gradient), ties))];
  },
};

/** 0 where the norm is 0, as in torch.linalg.vector_norm. */
const l2 = reduction((graph, x, y, g) => {
  const isZero = graph.op('Equal', [y, graph.scalar(0)]);
  return graph.mul(x, graph.where(isZero, graph.scalar(0), graph.div(g, y)));
}, '0 where the norm is 0');

/** Reductions over axes given as an input, or over all axes. */
export const reductionRules: RuleTable = {
  ReduceSum: sum,
  ReduceMean: mean,
  ReduceMax: extremum,
  ReduceMin: extremum,
  ReduceL1: reduction((graph, x, _, g) => graph.mul(g, graph.sign(x)), '0 at 0'),
  ReduceL2: l2,
  ReduceSumSquare: reduction((graph, x, _, g) => graph.mul(g, graph.scale(x, 2))),
  ReduceLogSum: reduction((graph, _, y, g) => graph.mul(g, graph.op('Exp', [graph.neg(y)]))),
  ReduceLogSumExp: reduction((graph, x, y, g) => graph.mul(g, graph.op('Exp', [graph.sub(x, y)]))),
};
