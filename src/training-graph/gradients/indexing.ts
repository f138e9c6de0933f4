import { intAttribute, stringAttribute } from '../../onnx/attributes.ts';
import { DataType } from '../../onnx/data-type.ts';
import { scatterAlongAxis } from './scatter.ts';
import type { GradientRule, RuleContext, RuleTable } from './rule.ts';

const gather: GradientRule = {
  inputs: [0],
  withoutGradient: [1],
  note: 'ranks must be known',
  apply: ({ graph, gradient, node, input, unsupported }) => {
    const [data, indices] = [input(0), input(1)];
    const rank = graph.rank(data) ?? unsupported('an operand of unknown rank');
    const indexRank = graph.rank(indices) ?? unsupported('indices of unknown rank');
    const given = intAttribute(node, 'axis', 0);
    const axis = given < 0 ? given + rank : given;
    const size = graph.op('Shape', [data], { start: { int: axis }, end: { int: axis + 1 } });
    const flat = indexRank === 1 ? indices : graph.op('Reshape', [indices, graph.ints([-1])]);
    const merged = (): string => {
      const before = graph.op('Shape', [gradient], { start: { int: 0 }, end: { int: axis } });
      const after = graph.op('Shape', [gradient], { start: { int: axis + indexRank } });
      return graph.op('Reshape', [gradient, graph.concat([before, graph.ints([-1]), after], 0)]);
    };
    const slices =
      indexRank === 1 ? gradient : indexRank === 0 ? graph.unsqueeze(gradient, [axis]) : merged();
    return [graph.reshapeLike(scatterAlongAxis(graph, slices, flat, axis, size), data)];
  },
};

const gatherElements: GradientRule = {
  inputs: [0],
  withoutGradient: [1],
  apply: ({ graph, gradient, node, input }) => [
    graph.op('ScatterElements', [graph.zerosLike(input(0)), input(1), gradient], {
      axis: { int: intAttribute(node, 'axis', 0) },
      reduction: { string: 'add' },
    }),
  ],
};

const gatherNd: GradientRule = {
  inputs: [0],
  withoutGradient: [1],
  note: 'batch_dims 0',
  apply: ({ graph, gradient, node, input, unsupported }) => {
    if (intAttribute(node, 'batch_dims', 0) !== 0) return unsupported('batch_dims other than 0');
    return [
      graph.op('ScatterND', [graph.zerosLike(input(0)), input(1), gradient], {
        reduction: { string: 'add' },
      }),
    ];
  },
};

const reductionNote = 'reduction add, max or min, or none with every position written at most once';

/** The scatter of one node, and the gather that undoes it. */
interface Scatter {
  /** Writes `updates` into `data` at the node's positions. */
  readonly scatter: (data: string, updates: string, reduction?: 'add') => string;
  /** Reads `data` at the node's positions. */
  readonly gather: (data: string) => string;
}

/** The rule of both scatters. Equal maxima or minima all share the gradient, as in torch.scatter_reduce. */
function scatterRule(parts: (context: RuleContext) => Scatter): GradientRule {
  return {
    inputs: [0, 2],
    withoutGradient: [1],
    note: reductionNote,
    apply: (context) => {
      const { graph, gradient, node, input, output, needs, unsupported } = context;
      const reduction = stringAttribute(node, 'reduction', 'none');
      const { scatter, gather } = parts(context);
      const [data, updates] = [input(0), input(2)];
      if (reduction === 'add') return [gradient, undefined, needs(2) ? gather(gradient) : undefined];
      if (reduction === 'none') {
        return [
          needs(0) ? scatter(gradient, graph.zerosLike(updates)) : undefined,
          undefined,
          needs(2) ? gather(gradient) : undefined,
        ];
      }
      if (reduction !== 'max' && reduction !== 'min')
        return unsupported(`reduction ${reduction} (only for ${reductionNote})`);
      const equal = (a: string, b: string): string => graph.cast(graph.op('Equal', [a, b]), DataType.float32);
      const [kept, taken] = [equal(data, output(0)), equal(updates, gather(output(0)))];
      const share = graph.div(gradient, scatter(kept, taken, 'add'));
      return [
        needs(0) ? graph.mul(share, kept) : undefined,
        undefined,
        needs(2) ? graph.mul(gather(share), taken) : undefined,
      ];
    },
  };
}

const scatterElements = scatterRule(({ graph, node, input }) => {
  const axis = { int: intAttribute(node, 'axis', 0) };
  return {
    scatter: (data, updates, reduction) =>
      graph.op('ScatterElements', [data, input(1), updates], {
        axis,
        ...(reduction === undefined ? {} : { reduction: { string: reduction } }),
      }),
    gather: (data) => graph.op('GatherElements', [data, input(1)], { axis }),
  };
});

const scatterNd = scatterRule(({ graph, input }) => ({
  scatter: (data, updates, reduction) =>
    graph.op(
      'ScatterND',
      [data, input(1), updates],
      reduction === undefined ? {} : { reduction: { string: reduction } },
    ),
  gather: (data) => graph.op('GatherND', [data, input(1)]),
}));

/** Operators that pick elements by index, and those that put them back. */
export const indexingRules: RuleTable = {
  Gather: gather,
  GatherElements: gatherElements,
  GatherND: gatherNd,
  ScatterElements: scatterElements,
  ScatterND: scatterNd,
};
