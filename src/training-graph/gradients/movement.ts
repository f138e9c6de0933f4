import { intAttribute, intsAttribute, stringAttribute } from '../../onnx/attributes.ts';
import type { GraphBuilder } from '../graph-builder.ts';
import { scatterAlongAxis } from './scatter.ts';
import type { GradientRule, RuleContext, RuleTable } from './rule.ts';

const reshaped: GradientRule = {
  inputs: [0],
  withoutGradient: [1],
  apply: ({ graph, gradient, input }) => [graph.reshapeLike(gradient, input(0))],
};

const identity: GradientRule = { inputs: [0], apply: ({ gradient }) => [gradient] };

/** Only the type of the second input matters. */
const castLike: GradientRule = { ...identity, withoutGradient: [1] };

const transpose: GradientRule = {
  note: 'without perm, the rank must be known',
  apply: ({ graph, gradient, input, node, unsupported }) => {
    const rank = graph.rank(input(0));
    const permutation =
      intsAttribute(node, 'perm') ??
      Array.from(
        { length: rank ?? unsupported('an operand of unknown rank') },
        (_, axis, n = rank!) => n - 1 - axis,
      );
    const inverse = Array<number>(permutation.length);
    permutation.forEach((from, to) => (inverse[from < 0 ? from + permutation.length : from] = to));
    return [graph.transpose(gradient, inverse)];
  },
};

const expand: GradientRule = {
  inputs: [0],
  withoutGradient: [1],
  apply: ({ graph, gradient, input }) => [graph.sumLike(gradient, input(0))],
};

function axisOf({ graph, node, unsupported }: RuleContext, value: string, fallback: number): number {
  const axis = intAttribute(node, 'axis', fallback);
  const rank = graph.rank(value) ?? unsupported('an operand of unknown rank');
  return axis < 0 ? axis + rank : axis;
}

const concat: GradientRule = {
  note: 'ranks must be known',
  apply: (context) => {
    const { graph, gradient, node } = context;
    if (node.inputs.length === 1) return [gradient];
    const axis = axisOf(context, context.output(0), 0);
    const sizes = node.inputs.map((input) => graph.shape(input)?.[axis]);
    const lengths = sizes.every((size) => typeof size === 'number')
      ? graph.ints(sizes)
      : graph.concat(
          node.inputs.map((input) =>
            graph.op('Shape', [input], { start: { int: axis }, end: { int: axis + 1 } }),
          ),
          0,
        );
    return graph.node('Split', [gradient, lengths], { axis: { int: axis } }, node.inputs.length);
  },
};

const split: GradientRule = {
  inputs: [0],
  withoutGradient: [1],
  allOutputs: true,
  note: 'ranks must be known',
  apply: (context) => {
    const { graph, gradients, node } = context;
    const axis = axisOf(context, context.input(0), 0);
    const parts = node.outputs.map((output, i) => gradients[i] ?? graph.zerosLike(output));
    return [graph.concat(parts, axis)];
  },
};

/** Repeats come before the elements they repeat: [r0, d0, r1, d1, ...], summed over the r. */
const tile: GradientRule = {
  inputs: [0],
  withoutGradient: [1],
  note: 'repeats must be constant',
  apply: ({ graph, gradient, input, unsupported }) => {
    const shape = graph.shape(input(0)) ?? unsupported('an operand of unknown rank');
    const repeats =
      graph.contents(input(1)) ?? unsupported('repeats that are known only when the graph runs');
    if (!repeats.every((count) => typeof count === 'number')) return unsupported('repeats of unknown size');
    if (repeats.every((count) => count === 1)) return [gradient];
    const parts = shape.flatMap((size, axis) => [repeats[axis]!, size]);
    if (parts.filter((size) => typeof size !== 'number').length > 1)
      return unsupported('several axes of unknown size');
    const summed = graph.reduceSum(
      graph.reshape(gradient, parts),
      shape.map((_, axis) => 2 * axis),
    );
    return [graph.reshapeLike(summed, input(0))];
  },
};

const pad: GradientRule = {
  inputs: [0, 2],
  withoutGradient: [1, 3],
  note: 'mode constant, with constant padding that is not negative',
  apply: ({ graph, gradient, node, input, needs, unsupported }) => {
    if (stringAttribute(node, 'mode', 'constant') !== 'constant')
      return unsupported('a mode other than constant');
    const rank = graph.rank(input(0)) ?? unsupported('an operand of unknown rank');
    const pads = graph.contents(input(1)) ?? unsupported('padding that is known only when the graph runs');
    const axes = input(3) ? graph.contents(input(3)) : Array.from({ length: rank }, (_, axis) => axis);
    const allKnown = pads.every((size) => typeof size === 'number' && size >= 0);
    if (!axes?.every((axis) => typeof axis === 'number') || !allKnown)
      return unsupported('negative or unknown padding');
    const all = Array<number>(2 * rank).fill(0);
    axes.forEach((axis, i) => {
      const fromFront = axis < 0 ? axis + rank : axis;
      all[fromFront] = pads[i] as number;
      all[fromFront + rank] = pads[i + axes.length] as number;
    });
    const cut = (g: string, axis: number): string => {
      const [before, after] = [all[axis]!, all[axis + rank]!];
      return before === 0 && after === 0
        ? g
        : graph.slice(g, axis, before, after === 0 ? TO_THE_END : -after);
    };
    const ofValue = (): string => {
      const border = graph.op('Pad', [graph.zerosLike(input(0)), graph.ints(all), graph.scalar(1)]);
      return graph.sumLike(graph.mul(gradient, border), input(2));
    };
    return [
      needs(0) ? Array.from({ length: rank }, (_, axis) => axis).reduce(cut, gradient) : undefined,
      undefined,
      input(2) && needs(2) ? ofValue() : undefined,
    ];
  },
};

const TO_THE_END = 2 ** 31 - 1;

const slice: GradientRule = {
  inputs: [0],
  withoutGradient: [1, 2, 3, 4],
  note: 'axes must be constant',
  apply: ({ graph, gradient, input, unsupported }) => {
    const rank = graph.rank(input(0)) ?? unsupported('an operand of unknown rank');
    const starts = graph.shape(input(1))?.[0];
    const axes = input(3)
      ? graph.contents(input(3))
      : Array.from({ length: typeof starts === 'number' ? starts : 0 }, (_, axis) => axis);
    if (!axes?.every((axis) => typeof axis === 'number'))
      return unsupported('axes known only when the graph runs');
    return [
      axes.reduceRight((g, axis, i) => unslice(graph, g, input, axis < 0 ? axis + rank : axis, i), gradient),
    ];
  },
};

/** Puts `gradient` back where the slice took it from along one axis, zeros elsewhere. */
function unslice(
  graph: GraphBuilder,
  gradient: string,
  input: (index: number) => string,
  axis: number,
  entry: number,
): string {
  const size = graph.shape(input(0))![axis];
  const bound = (index: number): number | undefined => {
    const value = graph.contents(input(index))?.[entry];
    return typeof value === 'number' ? value : undefined;
  };
  const [start, end, step] = [bound(1), bound(2), input(4) ? bound(4) : 1];
  if (start === 0 && step === 1 && end !== undefined && end >= TO_THE_END) return gradient;
  if (typeof size === 'number' && start !== undefined && end !== undefined && step === 1) {
    const clamp = (value: number): number => Math.min(Math.max(value < 0 ? value + size : value, 0), size);
    const [before, after] = [clamp(start), size - Math.max(clamp(end), clamp(start))];
    if (before === 0 && after === 0) return gradient;
    // Pads of all axes: onnxruntime 1.30 pushes a Transpose through a Pad with `axes` and then reads its pads as those
    // of all axes.
    const rank = graph.rank(gradient)!;
    const pads = Array<number>(2 * rank).fill(0);
    [pads[axis], pads[axis + rank]] = [before, after];
    return graph.op('Pad', [gradient, graph.ints(pads)]);
  }
  const length = graph.op('Shape', [input(0)], { start: { int: axis }, end: { int: axis + 1 } });
  const all = graph.op('Range', [graph.int(0), graph.squeeze(length, [0]), graph.int(1)]);
  const pick = (index: number): string => graph.gather(input(index), graph.ints([entry]), 0);
  const steps = input(4) ? [pick(4)] : [];
  const positions = graph.op('Slice', [all, pick(1), pick(2), graph.ints([0]), ...steps]);
  return scatterAlongAxis(graph, gradient, positions, axis, length);
}

const cumSum: GradientRule = {
  inputs: [0],
  withoutGradient: [1],
  apply: ({ graph, gradient, node, input }) => [
    graph.op('CumSum', [gradient, input(1)], {
      exclusive: { int: intAttribute(node, 'exclusive', 0) },
      reverse: { int: 1 - intAttribute(node, 'reverse', 0) },
    }),
  ],
};

const trilu: GradientRule = {
  inputs: [0],
  withoutGradient: [1],
  apply: ({ graph, gradient, node, input }) => [
    graph.op('Trilu', node.inputs[1] ? [gradient, input(1)] : [gradient], {
      upper: { int: intAttribute(node, 'upper', 1) },
    }),
  ],
};

const dropout: GradientRule = {
  inputs: [0],
  withoutGradient: [1, 2],
  note: 'evaluation mode, in which it does nothing',
  apply: ({ graph, gradient, input, unsupported }) => {
    const training = input(2);
    if (training && graph.scalarValue(training) !== 0) return unsupported('training mode');
    return [gradient];
  },
};

/** Operators that move, repeat or cut out elements. */
export const movementRules: RuleTable = {
  Identity: identity,
  Cast: identity,
  CastLike: castLike,
  Dropout: dropout,
  Reshape: reshaped,
  Flatten: reshaped,
  Squeeze: reshaped,
  Unsqueeze: reshaped,
  Transpose: transpose,
  Expand: expand,
  Concat: concat,
  Split: split,
  Tile: tile,
  Pad: pad,
  Slice: slice,
  CumSum: cumSum,
  Trilu: trilu,
};
