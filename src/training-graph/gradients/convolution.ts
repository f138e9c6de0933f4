import { intAttribute, intsAttribute } from '../../onnx/attributes.ts';
import type { Dimension } from '../../onnx/graph.ts';
import { poolingKernel, windowOf, type Window } from '../../onnx/shape-inference/convolution.ts';
import type { AttributeInit } from '../node-key.ts';
import type { GraphBuilder } from '../graph-builder.ts';
import type { GradientRule, RuleContext, RuleTable } from './rule.ts';

/** Sizes of the spatial axes of a `[batch, channels, ...spatial]` value, which all rules here need as numbers. */
function spatialSizes({ graph, unsupported }: RuleContext, value: string): readonly number[] {
  const sizes = graph.shape(value)?.slice(2);
  if (sizes?.every((size) => typeof size === 'number')) return sizes;
  return unsupported('spatial sizes that are known only when the graph runs');
}

function windowAttributes({ strides, dilations, pads }: Window): AttributeInit {
  return { strides: { ints: strides }, dilations: { ints: dilations }, pads: { ints: pads } };
}

function requireWindow({ node, unsupported }: RuleContext, spatial: number): Window {
  return windowOf(node, spatial) ?? unsupported('automatic padding');
}

/** Rows at the end that no window reaches: a transposed convolution has to add them to restore the size. */
function unreached(size: number, output: number, kernel: number, window: Window, axis: number): number {
  const spatial = window.strides.length;
  const reach = (kernel - 1) * window.dilations[axis]! + 1;
  const padding = window.pads[axis]! + window.pads[axis + spatial]!;
  return size - (window.strides[axis]! * (output - 1) + reach - padding);
}

/**
 * The transpose of a convolution: spreads `g` over the data that its windows read.
 * `weight` is `[g channels, data channels / groups, ...kernel]`.
 */
function spread(
  context: RuleContext,
  g: string,
  weight: string,
  window: Window,
  { groups, kernel }: { readonly groups: number; readonly kernel: readonly number[] },
): string {
  const sizes = spatialSizes(context, context.input(0));
  const outputs = spatialSizes(context, context.output(0));
  const extra = sizes.map((size, a) => unreached(size, outputs[a]!, kernel[a]!, window, a));
  // With ceil_mode, windows reach beyond the padding; what they put there is cropped like the padding itself.
  const pads = window.pads.map(
    (pad, i) => pad + (i >= sizes.length ? Math.max(0, -extra[i - sizes.length]!) : 0),
  );
  return context.graph.op('ConvTranspose', [g, weight], {
    ...windowAttributes({ ...window, pads }),
    output_padding: { ints: extra.map((rows) => Math.max(0, rows)) },
    group: { int: groups },
  });
}

/**
 * The gradient of the weight is a convolution of the data with the output's gradient: batch and channels change places,
 * as do strides and dilations. Groups become additional channels: one convolution serves any number of groups.
 */
function weightGradient(
  context: RuleContext,
  data: string,
  g: string,
  window: Window,
  groups: number,
): string {
  const { graph, input, unsupported } = context;
  const weightShape = graph.shape(input(1));
  if (!weightShape?.every((size): size is number => typeof size === 'number'))
    return unsupported('weights of unknown shape');
  const [outChannels, perGroup, ...kernel] = weightShape as [number, number, ...number[]];
  const rest = kernel.map((_, axis) => axis + 2);
  const sizes = spatialSizes(context, data);
  const lined = groupsNextToBatch(graph, withSample(graph, data), groups, perGroup, sizes);
  const product = graph.op('Conv', [lined, graph.transpose(withSample(graph, g), [1, 0, ...rest])], {
    ...windowAttributes({ ...window, strides: window.dilations, dilations: window.strides }),
    group: { int: groups },
  });
  const swapped = graph.transpose(product, [1, 0, ...rest]);
  const produced = graph.shape(product)!.slice(2);
  // Rows that no window reaches produce taps beyond the kernel: crop them.
  const cut = kernel.reduce(
    (value, size, axis) => (produced[axis] === size ? value : graph.slice(value, axis + 2, 0, size)),
    swapped,
  );
  return graph.reshape(cut, [outChannels, perGroup, ...kernel]);
}

/**
 * The value with an added sample of zeros if the batch may be empty: samples become channels of a convolution, and the
 * runtime's wasm provider hangs on one without channels.
 */
function withSample(graph: GraphBuilder, value: string): string {
  const shape = graph.shape(value)!;
  if (typeof shape[0] === 'number' && shape[0] > 0) return value;
  const none = shape.map(() => 0);
  return graph.op('Pad', [value, graph.ints([...none, 1, ...none.slice(1)]), graph.scalar(0)]);
}

/** `[batch, groups * channels, ...]` to `[channels, groups * batch, ...]`. */
function groupsNextToBatch(
  graph: GraphBuilder,
  data: string,
  groups: number,
  channels: number,
  sizes: readonly number[],
): string {
  const rest = sizes.map((_, axis) => axis + 2);
  if (groups === 1) return graph.transpose(data, [1, 0, ...rest]);
  const batch: Dimension = graph.shape(data)?.[0];
  const split = graph.reshape(data, [batch, groups, channels, ...sizes]);
  const turned = graph.transpose(split, [2, 1, 0, ...rest.map((axis) => axis + 1)]);
  return graph.reshape(turned, [channels, 'groups*batch', ...sizes]);
}

function biasGradient(graph: GraphBuilder, g: string): string {
  const rank = graph.rank(g)!;
  return graph.reduceSum(g, [0, ...Array.from({ length: rank - 2 }, (_, axis) => axis + 2)]);
}

const convolution: GradientRule = {
  note: 'spatial sizes must be known, no automatic padding',
  apply: (context) => {
    const { graph, gradient, node, input, needs } = context;
    const sizes = spatialSizes(context, input(0));
    const window = requireWindow(context, sizes.length);
    const groups = intAttribute(node, 'group', 1);
    const kernel = spatialSizes(context, input(1));
    return [
      needs(0) ? spread(context, gradient, input(1), window, { groups, kernel }) : undefined,
      needs(1) ? weightGradient(context, input(0), gradient, window, groups) : undefined,
      input(2) && needs(2) ? biasGradient(graph, gradient) : undefined,
    ];
  },
};

/** As for Conv, with data and gradient swapped. */
const convolutionTranspose: GradientRule = {
  note: 'no automatic padding, no output_shape; weights: one group, known sizes',
  apply: (context) => {
    const { graph, gradient, node, input, needs, unsupported } = context;
    if (intsAttribute(node, 'output_shape') !== undefined) return unsupported('output_shape');
    const sizes = spatialSizes(context, input(0));
    const window = requireWindow(context, sizes.length);
    const groups = intAttribute(node, 'group', 1);
    const attributes = { ...windowAttributes(window), group: { int: groups } };
    const ofData = (): string => {
      const full = graph.op('Conv', [gradient, input(1)], attributes);
      const produced = graph.shape(full)!.slice(2);
      return sizes.reduce(
        (g, size, axis) => (produced[axis] === size ? g : graph.slice(g, axis + 2, 0, size)),
        full,
      );
    };
    const ofWeight = (): string => {
      if (groups !== 1) return unsupported('its weights in several groups');
      return weightGradient(context, gradient, input(0), window, 1);
    };
    return [
      needs(0) ? ofData() : undefined,
      needs(1) ? ofWeight() : undefined,
      input(2) && needs(2) ? biasGradient(graph, gradient) : undefined,
    ];
  },
};

/** The second output of MaxPool holds the position of each maximum in the flattened data. */
const maxPool: GradientRule = {
  note: 'the first of equal maxima gets the gradient; row-major storage_order',
  apply: ({ graph, gradient, node, input, unsupported }) => {
    if (intAttribute(node, 'storage_order', 0) !== 0) return unsupported('column-major storage_order');
    const x = input(0);
    const attributes: Record<string, AttributeInit[string]> = {};
    for (const [name, attribute] of node.attributes) {
      if (attribute.kind === 'int') attributes[name] = { int: Number(attribute.value) };
      if (attribute.kind === 'ints') attributes[name] = { ints: attribute.value.map(Number) };
      if (attribute.kind === 'string') attributes[name] = { string: attribute.value };
    }
    const [, places] = graph.node('MaxPool', [x], attributes, 2) as [string, string];
    const flat = (value: string): string => graph.op('Reshape', [value, graph.ints([-1])]);
    const zeros = flat(graph.zerosLike(x));
    const summed = graph.op('ScatterElements', [zeros, flat(places), flat(gradient)], {
      axis: { int: 0 },
      reduction: { string: 'add' },
    });
    return [graph.reshapeLike(summed, x)];
  },
};

/** The number of elements under each window along one axis. */
function windowCounts(
  { size, outputs, kernel }: { readonly size: number; readonly outputs: number; readonly kernel: number },
  window: Window,
  axis: number,
  countPadding: boolean,
): number[] {
  const [stride, dilation] = [window.strides[axis]!, window.dilations[axis]!];
  const [before, after] = [window.pads[axis]!, window.pads[axis + window.strides.length]!];
  const low = countPadding ? -before : 0;
  const high = countPadding ? size + after : size;
  return Array.from({ length: outputs }, (_, o) => {
    const first = o * stride - before;
    const from = Math.max(0, Math.ceil((low - first) / dilation));
    const to = Math.min(kernel - 1, Math.ceil((high - first) / dilation) - 1);
    return Math.max(0, to - from + 1);
  });
}

/** Larger than any image: a bound on what declared sizes can make this code allocate. */
const MAX_POSITIONS = 1 << 20;

const averagePool: GradientRule = {
  note: 'channels and spatial sizes must be known, no automatic padding',
  apply: (context) => {
    const { graph, gradient, node, input, output, unsupported } = context;
    const sizes = spatialSizes(context, input(0));
    const outputs = spatialSizes(context, output(0));
    const window = requireWindow(context, sizes.length);
    const kernel = poolingKernel(node, sizes.length);
    const channels = graph.shape(input(0))?.[1];
    if (typeof channels !== 'number') return unsupported('an unknown number of channels');
    const taps = kernel.reduce((product, size) => product * size, channels);
    if (Math.max(taps, ...outputs) > MAX_POSITIONS) return unsupported('a window or data of this size');
    const padded = intAttribute(node, 'count_include_pad', 0) === 1;
    // The count of a window is the product of its counts along each axis.
    const share = outputs.reduce((g, length, axis) => {
      const counts = windowCounts(
        { size: sizes[axis]!, outputs: length, kernel: kernel[axis]! },
        window,
        axis,
        padded,
      );
      if (counts.every((count) => count === counts[0])) return graph.scale(g, 1 / (counts[0] ?? 1));
      const behind = Array<number>(outputs.length - 1 - axis).fill(1);
      const shares = counts.map((count) => 1 / count);
      return graph.mul(g, graph.tensor([length, ...behind], shares));
    }, gradient);
    const ones = graph.tensor([channels, 1, ...kernel], Array<number>(taps).fill(1));
    return [spread(context, share, ones, window, { groups: channels, kernel })];
  },
};

const globalAveragePool: GradientRule = {
  apply: ({ graph, gradient, input, output }) => {
    const spatial = graph.shape(input(0))?.flatMap((_, axis) => (axis < 2 ? [] : [axis]));
    const count =
      spatial === undefined
        ? graph.div(graph.elementCount(input(0)), graph.elementCount(output(0)))
        : graph.elementCount(input(0), spatial);
    return [graph.expandLike(graph.div(gradient, count), input(0))];
  },
};

/** Convolutions and pooling over `[batch, channels, ...spatial]`. */
export const convolutionRules: RuleTable = {
  Conv: convolution,
  ConvTranspose: convolutionTranspose,
  MaxPool: maxPool,
  AveragePool: averagePool,
  GlobalAveragePool: globalAveragePool,
};
