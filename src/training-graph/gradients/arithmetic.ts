import { DataType } from '../../onnx/data-type.ts';
import { tensorValues } from '../../onnx/tensor.ts';
import { elementwise, type GradientRule, type RuleTable } from './rule.ts';

const add: GradientRule = {
  apply: ({ graph, gradient, node }) => node.inputs.map((input) => graph.sumLike(gradient, input)),
};

const sub: GradientRule = {
  apply: ({ graph, gradient, input, needs }) => [
    graph.sumLike(gradient, input(0)),
    needs(1) ? graph.sumLike(graph.neg(gradient), input(1)) : undefined,
  ],
};

const mul: GradientRule = {
  apply: ({ graph, gradient, input, needs }) => {
    const [a, b] = [input(0), input(1)];
    if (a === b) return [graph.mul(gradient, graph.scale(a, 2)), undefined];
    return [
      needs(0) ? graph.sumLike(graph.mul(gradient, b), a) : undefined,
      needs(1) ? graph.sumLike(graph.mul(gradient, a), b) : undefined,
    ];
  },
};

const div: GradientRule = {
  apply: ({ graph, gradient, input, output, needs }) => {
    const [a, b] = [input(0), input(1)];
    const quotient = graph.div(gradient, b);
    return [
      needs(0) ? graph.sumLike(quotient, a) : undefined,
      needs(1) ? graph.sumLike(graph.neg(graph.mul(quotient, output(0))), b) : undefined,
    ];
  },
};

/**
 * As in torch: slope 0 at an exponent of 0, whatever the base, and slope 0 of the exponent at a base of 0. At a
 * negative base the exponent has no derivative: NaN.
 */
const pow: GradientRule = {
  note: 'exponent 0 has slope 0; the slope of the exponent is 0 at base 0 and NaN at a negative base',
  apply: ({ graph, gradient, input, output, needs }) => {
    const [x, exponent] = [input(0), input(1)];
    const known = graph.scalarValue(exponent);
    const power = graph.cast(exponent, DataType.float32);
    const base = (): string => {
      if (known === 0) return graph.zerosLike(gradient);
      if (known === 1) return gradient;
      if (known === 2) return graph.mul(gradient, graph.scale(x, 2));
      if (known === 0.5) return graph.div(graph.scale(gradient, 0.5), output(0));
      if (known === -1) return graph.neg(graph.mul(gradient, graph.mul(output(0), output(0))));
      const zero = graph.scalar(0);
      const lower = known === undefined ? graph.sub(power, graph.scalar(1)) : graph.scalar(known - 1);
      const slope = graph.mul(power, graph.op('Pow', [x, lower]));
      const values = graph.constantValue(exponent);
      if (values !== undefined && !tensorValues(values).includes(0)) return graph.mul(gradient, slope);
      return graph.mul(gradient, graph.where(graph.op('Equal', [power, zero]), zero, slope));
    };
    const logarithm = (): string => {
      const zero = graph.scalar(0);
      const atZero = graph.op('And', [
        graph.op('Equal', [x, zero]),
        graph.op('GreaterOrEqual', [power, zero]),
      ]);
      const log = graph.op('Log', [graph.where(atZero, graph.scalar(1), x)]);
      return graph.mul(gradient, graph.mul(output(0), log));
    };
    return [
      needs(0) ? graph.sumLike(base(), x) : undefined,
      needs(1) ? graph.sumLike(logarithm(), exponent) : undefined,
    ];
  },
};

/** Ties share the gradient equally, as in torch.maximum and torch.minimum. */
const extremum: GradientRule = {
  note: 'ties share the gradient equally',
  apply: ({ graph, gradient, node, output }) => {
    if (node.inputs.length === 1) return [gradient];
    const chosen = node.inputs.map((input) =>
      graph.cast(graph.op('Equal', [input, output(0)]), DataType.float32),
    );
    const share = graph.div(gradient, graph.sum(chosen));
    return node.inputs.map((input, i) => graph.sumLike(graph.mul(share, chosen[i]!), input));
  },
};

const mean: GradientRule = {
  apply: ({ graph, gradient, node }) => {
    const share = graph.scale(gradient, 1 / node.inputs.length);
    return node.inputs.map((input) => graph.sumLike(share, input));
  },
};

const where: GradientRule = {
  inputs: [1, 2],
  withoutGradient: [0],
  apply: ({ graph, gradient, input, needs }) => {
    const zero = graph.scalar(0);
    return [
      undefined,
      needs(1) ? graph.sumLike(graph.where(input(0), gradient, zero), input(1)) : undefined,
      needs(2) ? graph.sumLike(graph.where(input(0), zero, gradient), input(2)) : undefined,
    ];
  },
};

/** min(max(x, low), high): a bound takes the gradient of the values that it replaces, the upper one if both do. */
const clip: GradientRule = {
  note: 'values on a bound keep their gradient',
  apply: ({ graph, gradient, input, needs }) => {
    const [x, low, high] = [input(0), input(1), input(2)];
    const zero = graph.scalar(0);
    const below = low ? graph.op('Less', [x, low]) : undefined;
    const raised = low ? graph.op('Max', [x, low]) : x;
    const above = high ? graph.op('Greater', [raised, high]) : undefined;
    const unlessAbove = (g: string): string => (above === undefined ? g : graph.where(above, zero, g));
    return [
      needs(0) ? unlessAbove(below === undefined ? gradient : graph.where(below, zero, gradient)) : undefined,
      below && needs(1) ? graph.sumLike(unlessAbove(graph.where(below, gradient, zero)), low) : undefined,
      above && needs(2) ? graph.sumLike(graph.where(above, gradient, zero), high) : undefined,
    ];
  },
};

/** Sums, products and other operators on pairs of values, with broadcasting. */
export const arithmeticRules: RuleTable = {
  Add: add,
  Sum: add,
  Mean: mean,
  Sub: sub,
  Mul: mul,
  Div: div,
  Pow: pow,
  Min: extremum,
  Max: extremum,
  Where: where,
  Clip: clip,
  Neg: elementwise((graph, g) => graph.neg(g)),
  Abs: elementwise((graph, g, x) => graph.mul(g, graph.sign(x)), '0 at 0'),
  Sqrt: elementwise((graph, g, _, y) => graph.div(graph.scale(g, 0.5), y)),
  Reciprocal: elementwise((graph, g, _, y) => graph.neg(graph.mul(g, graph.mul(y, y)))),
  Exp: elementwise((graph, g, _, y) => graph.mul(g, y)),
  Log: elementwise((graph, g, x) => graph.div(g, x)),
  Erf: elementwise((graph, g, x) => {
    const bell = graph.op('Exp', [graph.neg(graph.mul(x, x))]);
    return graph.mul(g, graph.scale(bell, 2 / Math.sqrt(Math.PI)));
  }),
  Sin: elementwise((graph, g, x) => graph.mul(g, graph.op('Cos', [x]))),
  Cos: elementwise((graph, g, x) => graph.neg(graph.mul(g, graph.op('Sin', [x])))),
  Tan: elementwise((graph, g, _, y) => graph.mul(g, graph.add(graph.scalar(1), graph.mul(y, y)))),
  Atan: elementwise((graph, g, x) => graph.div(g, graph.add(graph.scalar(1), graph.mul(x, x)))),
  Sinh: elementwise((graph, g, x) => graph.mul(g, graph.op('Cosh', [x]))),
  Cosh: elementwise((graph, g, x) => graph.mul(g, graph.op('Sinh', [x]))),
};
