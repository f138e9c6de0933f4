import { MagnitudeEdgeError } from '../../errors.ts';
import { describeNode, intAttribute, intsAttribute, stringAttribute } from '../attributes.ts';
import { DataType } from '../data-type.ts';
import type { Dimension, OnnxNode } from '../graph.ts';
import type { InferenceRule } from './knowledge.ts';

/** Larger than any array. */
const MAX_WINDOW = 2 ** 31;

/** Attributes of a sliding window over `spatial` axes, defaults filled in. */
export interface Window {
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Padding before each axis, then after each axis. */
  readonly pads: readonly number[];
  readonly ceil: boolean;
}

/**
 * The window of a convolution or pooling node; undefined if padding is left to the runtime (`auto_pad`). Throws
 * `invalid-model` for windows that no runtime accepts.
 */
export function windowOf(node: OnnxNode, spatial: number): Window | undefined {
  const strides = windowNumbers(node, 'strides', spatial, 1, 1);
  const dilations = windowNumbers(node, 'dilations', spatial, 1, 1);
  const pads = windowNumbers(node, 'pads', 2 * spatial, 0, 0);
  const autoPad = stringAttribute(node, 'auto_pad', 'NOTSET');
  if (autoPad !== 'NOTSET' && autoPad !== 'VALID') return undefined;
  return {
    strides,
    dilations,
    pads: autoPad === 'VALID' ? pads.map(() => 0) : pads,
    ceil: intAttribute(node, 'ceil_mode', 0) === 1,
  };
}

function windowNumbers(
  node: OnnxNode,
  name: string,
  count: number,
  fallback: number,
  least: number,
): readonly number[] {
  const numbers = intsAttribute(node, name) ?? Array<number>(count).fill(fallback);
  if (numbers.length === count && numbers.every((n) => n >= least && n <= MAX_WINDOW)) return numbers;
  throw new MagnitudeEdgeError(
    'invalid-model',
    `Attribute '${name}' of ${describeNode(node)} should hold ${count} numbers of at least ${least}, but holds [${numbers.join(', ')}].`,
  );
}

/** The kernel of a pooling node. Throws `invalid-model` if a window could lie entirely in the padding. */
export function poolingKernel(node: OnnxNode, spatial: number): readonly number[] {
  if (!node.attributes.has('kernel_shape'))
    throw new MagnitudeEdgeError('invalid-model', `${describeNode(node)} has no kernel_shape.`);
  const kernel = windowNumbers(node, 'kernel_shape', spatial, 1, 1);
  const window = windowOf(node, spatial);
  const outside = window?.pads.findIndex((pad, i) => {
    const axis = i % spatial;
    return pad > (kernel[axis]! - 1) * window.dilations[axis]!;
  });
  if (outside === undefined || outside < 0) return kernel;
  throw new MagnitudeEdgeError(
    'invalid-model',
    `${describeNode(node)} pads by ${window!.pads[outside]!}, beyond its window of ${kernel[outside % spatial]!}.`,
  );
}

function slidSize(size: Dimension, kernel: Dimension, axis: number, window: Window | undefined): Dimension {
  if (typeof size !== 'number' || typeof kernel !== 'number' || window === undefined) return undefined;
  const spatial = window.strides.length;
  const stride = window.strides[axis]!;
  const reach = (kernel - 1) * window.dilations[axis]! + 1;
  const before = window.pads[axis]!;
  const steps = (size + before + window.pads[axis + spatial]! - reach) / stride;
  if (!window.ceil) return Math.floor(steps) + 1;
  // A window that would start in the padding after the data is left out.
  const count = Math.ceil(steps) + 1;
  return (count - 1) * stride >= size + before ? count - 1 : count;
}

const convolution: InferenceRule = ({ node, type, shape }) => {
  const data = shape(0);
  const weight = shape(1);
  const elementType = type(0).elementType;
  if (data === undefined || weight === undefined) return [{ elementType, shape: undefined }];
  if (data.length < 3) throw new RangeError(`data with ${data.length} axes`);
  if (weight.length !== data.length) throw new RangeError(`weights with ${weight.length} axes`);
  const window = windowOf(node, data.length - 2);
  const spatial = data.slice(2).map((size, axis) => slidSize(size, weight[axis + 2], axis, window));
  return [{ elementType, shape: [data[0], weight[0], ...spatial] }];
};

const convolutionTranspose: InferenceRule = ({ node, type, shape }) => {
  const data = shape(0);
  const weight = shape(1);
  const elementType = type(0).elementType;
  if (data === undefined || weight === undefined) return [{ elementType, shape: undefined }];
  if (data.length < 3) throw new RangeError(`data with ${data.length} axes`);
  if (weight.length !== data.length) throw new RangeError(`weights with ${weight.length} axes`);
  const spatial = data.length - 2;
  const window = intsAttribute(node, 'output_shape') === undefined ? windowOf(node, spatial) : undefined;
  const extra = windowNumbers(node, 'output_padding', spatial, 0, 0);
  const channels = weight[1];
  const groups = intAttribute(node, 'group', 1);
  const sizes = data.slice(2).map((size, axis) => {
    const kernel = weight[axis + 2];
    if (typeof size !== 'number' || typeof kernel !== 'number' || window === undefined) return undefined;
    const reach = (kernel - 1) * window.dilations[axis]! + 1;
    const cut = window.pads[axis]! + window.pads[axis + spatial]!;
    return window.strides[axis]! * (size - 1) + reach + extra[axis]! - cut;
  });
  return [
    { elementType, shape: [data[0], typeof channels === 'number' ? channels * groups : undefined, ...sizes] },
  ];
};

const pooling: InferenceRule = ({ node, type, shape }) => {
  const data = shape(0);
  if (data !== undefined && data.length < 3) throw new RangeError(`data with ${data.length} axes`);
  const kernel = data && poolingKernel(node, data.length - 2);
  const window = data && windowOf(node, data.length - 2);
  const sizes = data?.map((size, a) => (a < 2 ? size : slidSize(size, kernel?.[a - 2], a - 2, window)));
  return node.outputs.map((_, i) => ({
    elementType: i === 0 ? type(0).elementType : DataType.int64,
    shape: sizes,
  }));
};

const globalPooling: InferenceRule = ({ type, shape }) => [
  { elementType: type(0).elementType, shape: shape(0)?.map((size, axis) => (axis < 2 ? size : 1)) },
];

/** Convolutions and pooling, `[batch, channels, ...spatial]`. */
export const convolutionRules: readonly (readonly [string, InferenceRule])[] = [
  ['Conv', convolution],
  ['ConvTranspose', convolutionTranspose],
  ['MaxPool', pooling],
  ['AveragePool', pooling],
  ['LpPool', pooling],
  ['GlobalAveragePool', globalPooling],
  ['GlobalMaxPool', globalPooling],
];
