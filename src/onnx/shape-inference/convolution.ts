import { intAttribute, intsAttribute, stringAttribute } from '../attributes.ts';
import { DataType } from '../data-type.ts';
import type { Dimension, OnnxNode } from '../graph.ts';
import type { InferenceRule } from './knowledge.ts';

/** Attributes of a sliding window over `spatial` axes, defaults filled in. */
export interface Window {
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Padding before each axis, then after each axis. */
  readonly pads: readonly number[];
  readonly ceil: boolean;
}

/** The window of a convolution or pooling node; undefined where padding is left to the runtime (`auto_pad`). */
export function windowOf(node: OnnxNode, spatial: number): Window | undefined {
  const autoPad = stringAttribute(node, 'auto_pad', 'NOTSET');
  if (autoPad !== 'NOTSET' && autoPad !== 'VALID') return undefined;
  const ones = Array<number>(spatial).fill(1);
  const zeros = Array<number>(2 * spatial).fill(0);
  return {
    strides: intsAttribute(node, 'strides') ?? ones,
    dilations: intsAttribute(node, 'dilations') ?? ones,
    pads: autoPad === 'VALID' ? zeros : (intsAttribute(node, 'pads') ?? zeros),
    ceil: intAttribute(node, 'ceil_mode', 0) === 1,
  };
}

function slidSize(size: Dimension, kernel: Dimension, axis: number, window: Window | undefined): Dimension {
  if (typeof size !== 'number' || typeof kernel !== 'number' || window === undefined) return undefined;
  const spatial = window.strides.length;
  const stride = window.strides[axis]!;
  const reach = (kernel - 1) * window.dilations[axis]! + 1;
  const before = window.pads[axis]!;
  const steps = (size + before + window.pads[axis + spatial]! - reach) / stride;
  if (!window.ceil) return Math.floor(steps) + 1;
  // A window that would start in the padding behind the data is left out.
  const count = Math.ceil(steps) + 1;
  return (count - 1) * stride >= size + before ? count - 1 : count;
}

const convolution: InferenceRule = ({ node, type, shape }) => {
  const data = shape(0);
  const weight = shape(1);
  const elementType = type(0).elementType;
  if (data === undefined || weight === undefined) return [{ elementType, shape: undefined }];
  if (data.length < 3) throw new RangeError(`data with ${data.length} axes`);
  const window = windowOf(node, data.length - 2);
  const spatial = data.slice(2).map((size, axis) => slidSize(size, weight[axis + 2], axis, window));
  return [{ elementType, shape: [data[0], weight[0], ...spatial] }];
};

const convolutionTranspose: InferenceRule = ({ node, type, shape }) => {
  const data = shape(0);
  const weight = shape(1);
  const elementType = type(0).elementType;
  if (data === undefined || weight === undefined) return [{ elementType, shape: undefined }];
  const spatial = data.length - 2;
  const window = intsAttribute(node, 'output_shape') === undefined ? windowOf(node, spatial) : undefined;
  const extra = intsAttribute(node, 'output_padding') ?? Array<number>(spatial).fill(0);
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
  const kernel = intsAttribute(node, 'kernel_shape');
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
