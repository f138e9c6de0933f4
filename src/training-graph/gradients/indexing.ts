import { intAttribute, stringAttribute } from '../../onnx/attributes.ts';
import { scatterAlongAxis } from './scatter.ts';
import type { GradientRule, RuleTable } from './rule.ts';

const gather: GradientRule = {
  inputs: [0],
  note: 'ranks have to be known',
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
  apply: ({ graph, gradient, node, input }) => [
    graph.op('ScatterElements', [graph.zerosLike(input(0)), input(1), gradient], {
      axis: { int: intAttribute(node, 'axis', 0) },
      reduction: { string: 'add' },
    }),
  ],
};

const gatherNd: GradientRule = {
  inputs: [0],
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

const reductionNote = 'reduction add, or none with every position written at most once';

const scatterElements: GradientRule = {
  inputs: [0, 2],
  note: reductionNote,
  apply: ({ graph, gradient, node, input, needs, unsupported }) => {
    const reduction = stringAttribute(node, 'reduction', 'none');
    if (reduction !== 'add' && reduction !== 'none') return unsupported(`reduction ${reduction}`);
    const axis = { int: intAttribute(node, 'axis', 0) };
    const [indices, updates] = [input(1), input(2)];
    const kept = (): string =>
      reduction === 'add'
        ? gradient
        : graph.op('ScatterElements', [gradient, indices, graph.zerosLike(updates)], { axis });
    return [
      needs(0) ? kept() : undefined,
      undefined,
      needs(2) ? graph.op('GatherElements', [gradient, indices], { axis }) : undefined,
    ];
  },
};

const scatterNd: GradientRule = {
  inputs: [0, 2],
  note: reductionNote,
  apply: ({ graph, gradient, node, input, needs, unsupported }) => {
    const reduction = stringAttribute(node, 'reduction', 'none');
    if (reduction !== 'add' && reduction !== 'none') return unsupported(`reduction ${reduction}`);
    const [indices, updates] = [input(1), input(2)];
    const kept = (): string =>
      reduction === 'add' ? gradient : graph.op('ScatterND', [gradient, indices, graph.zerosLike(updates)]);
    return [
      needs(0) ? kept() : undefined,
      undefined,
      needs(2) ? graph.op('GatherND', [gradient, indices]) : undefined,
    ];
  },
};

/** Operators that pick elements by index, and those that put them back. */
export const indexingRules: RuleTable = {
  Gather: gather,
  GatherElements: gatherElements,
  GatherND: gatherNd,
  ScatterElements: scatterElements,
  ScatterND: scatterNd,
};
