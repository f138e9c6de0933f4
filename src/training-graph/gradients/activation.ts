import { floatAttribute, stringAttribute } from '../../onnx/attributes.ts';
import type { GraphBuilder } from '../graph-builder.ts';
import { eluShape, expBelowZero, mishSlope, sigmoid, sigmoidSlope, tanhSlope } from '../lowering.ts';
import { elementwise, type GradientRule, type RuleTable } from './rule.ts';

/** `yes` where `x <= bound`, `no` elsewhere and where x is NaN, so that a diverged network is noticed. */
function atMost(graph: GraphBuilder, x: string, bound: number, yes: string, no: string): string {
  return graph.where(graph.op('LessOrEqual', [x, graph.scalar(bound)]), yes, no);
}

/** e^(factor x) below 0, never formed as y + 1, which cancels in saturation. */
const elu = elementwise((graph, g, x, _, { node }) => {
  const { right, left, factor } = eluShape(node);
  const slope = graph.mul(g, expBelowZero(graph, x, factor));
  // Both slopes are 1 at 0, and the bounded exponential is 1 above 0 as well.
  if (Math.abs(left * factor - 1) < 1e-15 && right === 1) return slope;
  return atMost(graph, x, 0, graph.scale(slope, left * factor), graph.scale(g, right));
});

const leakyRelu = elementwise((graph, g, x, _, { node }) =>
  atMost(graph, x, 0, graph.scale(g, floatAttribute(node, 'alpha', 0.01)), g),
);

const pRelu: GradientRule = {
  apply: ({ graph, gradient, input, needs }) => {
    const [x, slope] = [input(0), input(1)];
    const negative = graph.mul(gradient, x);
    return [
      needs(0) ? atMost(graph, x, 0, graph.mul(gradient, slope), gradient) : undefined,
      needs(1) ? graph.sumLike(atMost(graph, x, 0, negative, graph.scalar(0)), slope) : undefined,
    ];
  },
};

const thresholdedRelu = elementwise((graph, g, x, _, { node }) =>
  atMost(graph, x, floatAttribute(node, 'alpha', 1), graph.scalar(0), g),
);

const softsign = elementwise((graph, g, x) => {
  const bound = graph.add(graph.scalar(1), graph.op('Abs', [x]));
  return graph.div(g, graph.mul(bound, bound));
});

/** d/dx of x Phi(x) is Phi(x) + x phi(x). The tanh form is x s(2u), since (1 + tanh u) / 2 is the sigmoid s(2u). */
const gelu = elementwise((graph, g, x, _, { node }) => {
  const one = graph.scalar(1);
  if (stringAttribute(node, 'approximate', 'none') === 'tanh') {
    const root = 2 * Math.sqrt(2 / Math.PI);
    const square = graph.mul(x, x);
    const inner = graph.mul(graph.scale(x, root), graph.add(one, graph.scale(square, 0.044715)));
    const rise = graph.scale(graph.add(one, graph.scale(square, 3 * 0.044715)), root);
    const bend = graph.mul(graph.mul(x, sigmoidSlope(graph, inner)), rise);
    return graph.mul(g, graph.add(sigmoid(graph, inner), bend));
  }
  const distribution = graph.scale(graph.add(one, graph.op('Erf', [graph.scale(x, Math.SQRT1_2)])), 0.5);
  const bell = graph.op('Exp', [graph.scale(graph.mul(x, x), -0.5)]);
  const density = graph.scale(bell, 1 / Math.sqrt(2 * Math.PI));
  return graph.mul(g, graph.add(distribution, graph.mul(x, density)));
});

/** s + z s (1 - s), with s the sigmoid of z = alpha x. */
const swish = elementwise((graph, g, x, _, { node }) => {
  const z = graph.scale(x, floatAttribute(node, 'alpha', 1));
  return graph.mul(g, graph.add(sigmoid(graph, z), graph.mul(z, sigmoidSlope(graph, z))));
});

/** 0 up to `low` and from `high` on, `value` between. */
function between(graph: GraphBuilder, x: string, low: number, high: number, value: string): string {
  const zero = graph.scalar(0);
  const below = graph.where(graph.op('GreaterOrEqual', [x, graph.scalar(high)]), zero, value);
  return atMost(graph, x, low, zero, below);
}

const hardSigmoid = elementwise((graph, g, x, _, { node }) => {
  const alpha = floatAttribute(node, 'alpha', 0.2);
  const beta = floatAttribute(node, 'beta', 0.5);
  return between(graph, x, -beta / alpha, (1 - beta) / alpha, graph.scale(g, alpha));
});

/** The slope of x clip(x / 6 + 1 / 2, 0, 1): 0 below -3, 1 above 3, x / 3 + 1 / 2 between. */
const hardSwish = elementwise((graph, g, x) => {
  const slope = graph.add(graph.scale(x, 1 / 3), graph.scalar(0.5));
  const inner = atMost(graph, x, -3, graph.scalar(0), graph.mul(g, slope));
  return graph.where(graph.op('GreaterOrEqual', [x, graph.scalar(3)]), g, inner);
});

/**
 * Nonlinearities. As in torch, the gradient at a kink is that of the left side, but that of the right side at the upper
 * kinks of HardSigmoid and HardSwish.
 */
export const activationRules: RuleTable = {
  Relu: elementwise((graph, g, x) => atMost(graph, x, 0, graph.scalar(0), g)),
  LeakyRelu: leakyRelu,
  PRelu: pRelu,
  ThresholdedRelu: thresholdedRelu,
  Elu: elu,
  Selu: elu,
  Celu: elu,
  Sigmoid: elementwise((graph, g, x) => graph.mul(g, sigmoidSlope(graph, x))),
  Tanh: elementwise((graph, g, x) => graph.mul(g, tanhSlope(graph, x))),
  Softplus: elementwise((graph, g, x) => graph.mul(g, sigmoid(graph, x))),
  Softsign: softsign,
  Gelu: gelu,
  Swish: swish,
  Mish: elementwise((graph, g, x) => graph.mul(g, mishSlope(graph, x))),
  HardSigmoid: hardSigmoid,
  HardSwish: hardSwish,
};
