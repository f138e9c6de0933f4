import { intAttribute } from '../../onnx/attributes.ts';
import { DataType } from '../../onnx/data-type.ts';
import type { GradientRule, RuleTable } from './rule.ts';

/** Element i is start + i delta; the limit decides only how many there are. */
const range: GradientRule = {
  inputs: [0, 2],
  withoutGradient: [1],
  apply: ({ graph, gradient, output, needs }) => {
    const places = (): string => {
      const count = graph.squeeze(graph.op('Shape', [output(0)]), [0]);
      return graph.cast(graph.op('Range', [graph.int(0), count, graph.int(1)]), DataType.float32);
    };
    return [
      needs(0) ? graph.reduceSum(gradient) : undefined,
      undefined,
      needs(2) ? graph.reduceSum(graph.mul(gradient, places())) : undefined,
    ];
  },
};

/** The third input holds the values off and on the index. */
const oneHot: GradientRule = {
  inputs: [2],
  withoutGradient: [0, 1],
  apply: ({ graph, gradient, node, input }) => {
    const sumWhere = (off: number, on: number): string => {
      const mask = graph.op('OneHot', [input(0), input(1), graph.floats([off, on])], {
        axis: { int: intAttribute(node, 'axis', -1) },
      });
      return graph.unsqueeze(graph.reduceSum(graph.mul(gradient, mask)), [0]);
    };
    return [undefined, undefined, graph.concat([sumWhere(1, 0), sumWhere(0, 1)], 0)];
  },
};

/** Operators that make tensors from a few numbers. */
export const generationRules: RuleTable = { Range: range, OneHot: oneHot };
