import { floatAttribute, stringAttribute } from '../../onnx/attributes.ts';
import type { GraphBuilder } from '../graph-builder.ts';
import { elementwise, type GradientRule, type RuleTable } from './rule.ts';

/** `yes` where `x > bound`, `no` elsewhere. */
function above(graph: GraphBuilder, x: string, bound: number, yes: string, no: string): string {
  return graph.where(graph.op('Greater', [x, graph.scalar(bound)]), yes, no);
}

const elu = elementwise((graph, g, x, y, { node }) => {
  const alpha = floatAttribute(node, 'alpha', 1);
  // The slope is 1 + min(y, 0) then: no comparison, no choice, which runtimes do element by element.
  if (alpha === 1) {
    const negative = graph.op('Clip', [y, '', graph.scalar(0)]);
    return graph.mul(g, graph.add(negative, graph.scalar(1)));
  }
  // For x <= 0, alpha exp(x) is y + alpha.
  return above(graph, x, 0, g, graph.mul(g, graph.add(y, graph.scalar(alpha))));
});

const selu = elementwise((graph, g, x, y, { node }) => {
  const alpha = floatAttribute(node, 'alpha', 1.6732632423543772);
  const gamma = floatAttribute(node, 'gamma', 1.0507009873554805);
  return above(graph, x, 0, graph.scale(g, gamma), graph.mul(g, graph.add(y, graph.scalar(alpha * gamma))));
});

const celu = elementwise((graph, g, x, y, { node }) => {
  const alpha = floatAttribute(node, 'alpha', 1);
  return above(graph, x, 0, g, graph.mul(g, graph.add(graph.scale(y, 1 / alpha), graph.scalar(1))));
});

const leakyRelu = elementwise((graph, g, x, _, { node }) =>
  above(graph, x, 0, g, graph.scale(g, floatAttribute(node, 'alpha', 0.01))),
);

const pRelu: GradientRule = {
  apply: ({ graph, gradient, input, needs }) => {
    const [x, slope] = [input(0), input(1)];
    const negative = graph.mul(gradient, x);
    return [
      above(graph, x, 0, gradient, graph.mul(gradient, slope)),
      needs(1) ? graph.sumLike(above(graph, x, 0, graph.scalar(0), negative), slope) : undefined,
    ];
  },
};

const thresholdedRelu = elementwise((graph, g, x, _, { node }) =>
  above(graph, x, floatAttribute(node, 'alpha', 1), g, graph.scalar(0)),
);

const sigmoid = elementwise((graph, g, _, y) => graph.mul(g, graph.mul(y, graph.sub(graph.scalar(1), y))));

const tanh = elementwise((graph, g, _, y) => graph.mul(g, graph.sub(graph.scalar(1), graph.mul(y, y))));

const softplus = elementwise((graph, g, x) => graph.mul(g, graph.op('Sigmoid', [x])));

const softsign = elementwise((graph, g, x) => {
  const bound = graph.add(graph.scalar(1), graph.op('Abs', [x]));
  return graph.div(g, graph.mul(bound, bound));
});

/** d/dx of x Phi(x) is Phi(x) + x phi(x); of the tanh form, as of x (1 + tanh u) / 2. */
const gelu = elementwise((graph, g, x, _, { node }) => {
  const one = graph.scalar(1);
  if (stringAttribute(node, 'approximate', 'none') === 'tanh') {
    const root = Math.sqrt(2 / Math.PI);
    const square = graph.mul(x, x);
    const inner = graph.mul(graph.scale(x, root), graph.add(one, graph.scale(square, 0.044715)));
    const t = graph.op('Tanh', [inner]);
    const slope = graph.scale(graph.add(one, graph.scale(square, 3 * 0.044715)), root);
    const bend = graph.mul(graph.mul(x, graph.sub(one, graph.mul(t, t))), slope);
    return graph.mul(g, graph.scale(graph.add(graph.add(one, t), bend), 0.5));
  }
  const distribution = graph.scale(graph.add(one, graph.op('Erf', [graph.scale(x, Math.SQRT1_2)])), 0.5);
  const bell = graph.op('Exp', [graph.scale(graph.mul(x, x), -0.5)]);
  const density = graph.scale(bell, 1 / Math.sqrt(2 * Math.PI));
  return graph.mul(g, graph.add(distribution, graph.mul(x, density)));
});

/** s + beta x s (1 - s), with s the sigmoid of alpha x. */
function swishGradient(graph: GraphBuilder, g: string, x: string, alpha: number): string {
  const s = graph.op('Sigmoid', [graph.scale(x, alpha)]);
  const bend = graph.mul(graph.scale(x, alpha), graph.sub(graph.scalar(1), s));
  return graph.mul(g, graph.mul(s, graph.add(graph.scalar(1), bend)));
}

const mish = elementwise((graph, g, x) => {
  const t = graph.op('Tanh', [graph.op('Softplus', [x])]);
  const bend = graph.mul(graph.mul(x, graph.op('Sigmoid', [x])), graph.sub(graph.scalar(1), graph.mul(t, t)));
  return graph.mul(g, graph.add(t, bend));
});

/** `value` where `low < x < high`, 0 elsewhere. */
function between(graph: GraphBuilder, x: string, low: number, high: number, value: string): string {
  const zero = graph.scalar(0);
  const below = graph.where(graph.op('Less', [x, graph.scalar(high)]), value, zero);
  return above(graph, x, low, below, zero);
}

const hardSigmoid = elementwise((graph, g, x, _, { node }) => {
  const alpha = floatAttribute(node, 'alpha', 0.2);
  const beta = floatAttribute(node, 'beta', 0.5);
  return between(graph, x, -beta / alpha, (1 - beta) / alpha, graph.scale(g, alpha));
});

/** x clip(x / 6 + 1 / 2, 0, 1): 0 below -3, 1 above 3, x / 3 + 1 / 2 between. */
const hardSwish = elementwise((graph, g, x) => {
  const slope = graph.add(graph.scale(x, 1 / 3), graph.scalar(0.5));
  const inner = above(graph, x, -3, graph.mul(g, slope), graph.scalar(0));
  return graph.where(graph.op('Less', [x, graph.scalar(3)]), inner, g);
});

/** Nonlinearities. At a kink the gradient is that of the left side, as in torch. */
export const activationRules: RuleTable = {
  Relu: elementwise((graph, g, x) => above(graph, x, 0, g, graph.scalar(0))),
  LeakyRelu: leakyRelu,
  PRelu: pRelu,
  ThresholdedRelu: thresholdedRelu,
  Elu: elu,
  Selu: selu,
  Celu: celu,
  Sigmoid: sigmoid,
  Tanh: tanh,
  Softplus: softplus,
  Softsign: softsign,
  Gelu: gelu,
  Swish: elementwise((graph, g, x, _, { node }) =>
    swishGradient(graph, g, x, floatAttribute(node, 'alpha', 1)),
  ),
  Mish: mish,
  HardSigmoid: hardSigmoid,
  HardSwish: hardSwish,
};
