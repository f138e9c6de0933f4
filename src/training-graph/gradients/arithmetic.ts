import { DataType } from '../../onnx/data-type.ts';
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

const pow: GradientRule = {
  note: 'the exponent carries a gradient where the base is positive, 0 elsewhere',
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
      const lower = known === undefined ? graph.sub(power, graph.scalar(1)) : graph.scalar(known - 1);
      return graph.mul(gradient, graph.mul(power, graph.op('Pow', [x, lower])));
    };
    const logarithm = (): string => {
      const positive = graph.op('Greater', [x, graph.scalar(0)]);
      const log = graph.op('Log', [graph.where(positive, x, graph.scalar(1))]);
      return graph.mul(gradient, graph.mul(output(0), log));
    };
    return [
      needs(0) ? graph.sumLike(base(), x) : undefined,
      needs(1) ? graph.sumLike(logarithm(), exponent) : undefined,
    ];
  },
};

/** Ties share the gradient equally, as torch.maximum and torch.minimum do. */
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
  apply: ({ graph, gradient, input, needs }) => {
    const zero = graph.scalar(0);
    return [
      undefined,
      needs(1) ? graph.sumLike(graph.where(input(0), gradient, zero), input(1)) : undefined,
      needs(2) ? graph.sumLike(graph.where(input(0), zero, gradient), input(2)) : undefined,
    ];
  },
};

const clip: GradientRule = {
  inputs: [0],
  note: 'the bounds carry no gradient; values on a bound do',
  apply: ({ graph, gradient, input }) => {
    let passed = gradient;
    const [x, low, high] = [input(0), input(1), input(2)];
    const zero = graph.scalar(0);
    if (low) passed = graph.where(graph.op('Less', [x, low]), zero, passed);
    if (high) passed = graph.where(graph.op('Greater', [x, high]), zero, passed);
    return [passed];
  },
};

/** Sums, products and other operators on pairs of values, shapes broadcast. */
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
