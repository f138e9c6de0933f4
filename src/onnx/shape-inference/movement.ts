import { intAttribute, intsAttribute, tensorAttribute } from '../attributes.ts';
import { DataType } from '../data-type.ts';
import {
  broadcastShapes,
  canBroadcast,
  differ,
  divide,
  multiply,
  plus,
  product,
  shapeText,
} from '../dimension.ts';
import type { Dimension, TensorType } from '../graph.ts';
import type { InferenceContext, InferenceRule } from './knowledge.ts';

/** More axes than any runtime supports: a bound on what a hostile file can make this code allocate. */
const MAX_RANK = 64;

function withShape({ type }: InferenceContext, shape: readonly Dimension[] | undefined): TensorType[] {
  return [{ elementType: type(0).elementType, shape }];
}

/** Sizes taken from a one-dimensional integer input: its contents, or as many unknown sizes as it has elements. */
function shapeInput(context: InferenceContext, index: number): readonly Dimension[] | undefined {
  const contents = context.contents(index);
  if (contents !== undefined && !contents.scalar) return contents.values;
  const length = context.shape(index)?.[0];
  return typeof length === 'number' && length <= MAX_RANK
    ? Array<Dimension>(length).fill(undefined)
    : undefined;
}

const reshape: InferenceRule = (context) => {
  const data = context.shape(0);
  const target = shapeInput(context, 1);
  if (target === undefined) return withShape(context, undefined);
  const keepsZero = intAttribute(context.node, 'allowzero', 0) === 0;
  const copied = target.map((size, axis) => (size === 0 && keepsZero ? data?.[axis] : size));
  if (copied.filter((size) => size === -1).length > 1) throw new RangeError(`more than one size of -1`);
  const known = product(copied.filter((size) => size !== -1));
  const whole = data && product(data);
  if (
    typeof whole === 'number' &&
    typeof known === 'number' &&
    !fitsReshape(whole, known, copied.includes(-1))
  )
    throw new RangeError(`${whole} elements as ${shapeText(copied)}`);
  const rest = data === undefined ? undefined : divide(product(data), known);
  return withShape(
    context,
    copied.map((size) => (size === -1 ? rest : size)),
  );
};

function fitsReshape(elements: number, known: number, open: boolean): boolean {
  if (!open) return elements === known;
  return known === 0 ? elements === 0 : elements % known === 0;
}

const transpose: InferenceRule = (context) => {
  const data = context.shape(0);
  const permutation = intsAttribute(context.node, 'perm');
  if (permutation !== undefined) requirePermutation(permutation, data?.length ?? permutation.length);
  if (data === undefined) return withShape(context, undefined);
  return withShape(context, permutation?.map((axis) => data[axis]) ?? data.toReversed());
};

function requirePermutation(permutation: readonly number[], rank: number): void {
  const sorted = permutation.toSorted((a, b) => a - b);
  if (sorted.length === rank && sorted.every((axis, i) => axis === i)) return;
  throw new RangeError(`perm [${permutation.join(', ')}] is not a permutation of ${rank} axes`);
}

/** Axes counted from the front. Throws if one is repeated or lies outside `rank`. */
export function distinctAxes(
  context: InferenceContext,
  axes: readonly number[],
  rank: number,
): readonly number[] {
  const found = axes.map((axis) => context.axis(axis, rank));
  if (new Set(found).size === found.length) return found;
  throw new RangeError(`axes [${axes.join(', ')}] name an axis twice`);
}

/** Axes from an input (opset 13) or an attribute (before); undefined if unknown. */
export function axesOf(context: InferenceContext, index = 1): readonly number[] | undefined | 'absent' {
  const attribute = intsAttribute(context.node, 'axes');
  if (attribute !== undefined) return attribute;
  if (!context.node.inputs[index]) return 'absent';
  const values = context.contents(index)?.values;
  return values?.every((value) => typeof value === 'number') ? values : undefined;
}

const squeeze: InferenceRule = (context) => {
  const data = context.shape(0);
  const axes = axesOf(context);
  if (data === undefined || axes === undefined) return withShape(context, undefined);
  if (axes === 'absent') {
    const decided = data.every((size) => typeof size === 'number');
    return withShape(context, decided ? data.filter((size) => size !== 1) : undefined);
  }
  const removed = new Set(distinctAxes(context, axes, data.length));
  for (const axis of removed) {
    const size = data[axis];
    if (typeof size === 'number' && size !== 1) throw new RangeError(`axis ${axis} of ${size} elements`);
  }
  return withShape(
    context,
    data.filter((_, axis) => !removed.has(axis)),
  );
};

const unsqueeze: InferenceRule = (context) => {
  const data = context.shape(0);
  const axes = axesOf(context);
  if (data === undefined || axes === undefined || axes === 'absent') return withShape(context, undefined);
  const rank = data.length + axes.length;
  const added = new Set(distinctAxes(context, axes, rank));
  const kept = [...data];
  return withShape(
    context,
    Array.from({ length: rank }, (_, axis) => (added.has(axis) ? 1 : kept.shift())),
  );
};

const expand: InferenceRule = (context) => {
  const target = shapeInput(context, 1);
  const shapes = [context.shape(0), target];
  if (!canBroadcast(shapes)) throw new RangeError(`${shapes.map(shapeText).join(' to ')} cannot be expanded`);
  return withShape(context, target && broadcastShapes(shapes));
};

const concat: InferenceRule = (context) => {
  const shapes = context.node.inputs.map((_, index) => context.shape(index));
  const first = shapes.find((shape) => shape !== undefined);
  if (first === undefined) return withShape(context, undefined);
  const axis = context.axis(intAttribute(context.node, 'axis', 0), first.length);
  for (const shape of shapes) {
    const fits = shape?.every((size, a) => a === axis || !differ(size, first[a]));
    if (shape !== undefined && (shape.length !== first.length || fits !== true))
      throw new RangeError(`${shapeText(first)} beside ${shapeText(shape)}`);
  }
  return withShape(
    context,
    first.map((_, a) => {
      const sizes = shapes.map((shape) => shape?.[a]);
      if (a === axis) return sizes.reduce((sum, size) => plus(sum, size), 0);
      return sizes.find((size) => typeof size === 'number') ?? sizes.find((size) => size !== undefined);
    }),
  );
};

/** The number of elements that a slice takes from an axis of known size (ONNX Slice: bounds are clamped). */
function sliceLength(size: Dimension, start: Dimension, end: Dimension, step: Dimension): Dimension {
  if (typeof start !== 'number' || typeof end !== 'number' || typeof step !== 'number' || step === 0)
    return undefined;
  if (typeof size !== 'number') return start === 0 && step === 1 && end >= 2 ** 31 - 1 ? size : undefined;
  const fromFront = (bound: number): number => (bound < 0 ? bound + size : bound);
  const clamp = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high);
  const [low, high] = step > 0 ? [0, size] : [-1, size - 1];
  const first = clamp(fromFront(start), step > 0 ? 0 : 0, step > 0 ? size : size - 1);
  const last = clamp(fromFront(end), low, high);
  return Math.max(0, Math.ceil((last - first) / step));
}

const slice: InferenceRule = (context) => {
  const data = context.shape(0);
  if (data === undefined) return withShape(context, undefined);
  const starts = context.contents(1)?.values;
  const ends = context.contents(2)?.values;
  const axes = context.node.inputs[3] ? context.contents(3)?.values : starts?.map((_, i) => i);
  const steps = context.node.inputs[4] ? context.contents(4)?.values : starts?.map(() => 1);
  if (axes === undefined)
    return withShape(
      context,
      data.map(() => undefined),
    );
  const sizes = [...data];
  axes.forEach((axis, i) => {
    if (typeof axis !== 'number') return;
    const a = context.axis(axis, data.length);
    sizes[a] = sliceLength(data[a], starts?.[i], ends?.[i], steps?.[i]);
  });
  return withShape(context, sizes);
};

const gather: InferenceRule = (context) => {
  const data = context.shape(0);
  const indices = context.shape(1);
  if (data === undefined || indices === undefined) return withShape(context, undefined);
  const axis = context.axis(intAttribute(context.node, 'axis', 0), data.length);
  return withShape(context, [...data.slice(0, axis), ...indices, ...data.slice(axis + 1)]);
};

const gatherNd: InferenceRule = (context) => {
  const data = context.shape(0);
  const indices = context.shape(1);
  const depth = indices?.at(-1);
  if (data === undefined || indices === undefined || typeof depth !== 'number')
    return withShape(context, undefined);
  const batch = intAttribute(context.node, 'batch_dims', 0);
  return withShape(context, [...indices.slice(0, -1), ...data.slice(batch + depth)]);
};

const split: InferenceRule = (context) => {
  const { node } = context;
  const data = context.shape(0);
  const elementType = context.type(0).elementType;
  if (data === undefined) return node.outputs.map(() => ({ elementType, shape: undefined }));
  const axis = context.axis(intAttribute(node, 'axis', 0), data.length);
  const sizes = node.inputs[1] ? context.contents(1)?.values : evenSplit(data[axis], node.outputs.length);
  const whole = sizes?.reduce<Dimension>((sum, size) => plus(sum, size), 0);
  if (
    node.inputs[1] &&
    sizes !== undefined &&
    (sizes.length !== node.outputs.length || differ(whole, data[axis]))
  )
    throw new RangeError(`parts ${shapeText(sizes)} of an axis of ${String(data[axis])}`);
  return node.outputs.map((_, i) => ({
    elementType,
    shape: data.map((size, a) => (a === axis ? sizes?.[i] : size)),
  }));
};

/** Sizes of equal parts, the last one smaller if the size is not divisible (ONNX Split). */
function evenSplit(size: Dimension, parts: number): readonly Dimension[] | undefined {
  if (typeof size !== 'number') return undefined;
  const each = Math.ceil(size / parts);
  return Array.from({ length: parts }, (_, i) => Math.max(0, Math.min(each, size - i * each)));
}

const tile: InferenceRule = (context) => {
  const data = context.shape(0);
  const repeats = shapeInput(context, 1);
  if (data !== undefined && repeats !== undefined && repeats.length !== data.length)
    throw new RangeError(`${repeats.length} repeats of ${data.length} axes`);
  return withShape(
    context,
    data?.map((size, axis) => multiply(size, repeats?.[axis])),
  );
};

const flatten: InferenceRule = (context) => {
  const data = context.shape(0);
  if (data === undefined) return withShape(context, [undefined, undefined]);
  const axis = intAttribute(context.node, 'axis', 1);
  const at = axis === data.length ? axis : context.axis(axis, data.length);
  return withShape(context, [product(data.slice(0, at)), product(data.slice(at))]);
};

const pad: InferenceRule = (context) => {
  const data = context.shape(0);
  const pads = context.contents(1)?.values;
  if (data === undefined) return withShape(context, undefined);
  const axes = axesOf(context, 3);
  const padded = axes === 'absent' ? data.map((_, a) => a) : axes;
  if (padded === undefined || pads?.length !== 2 * padded.length)
    return withShape(
      context,
      data.map(() => undefined),
    );
  const sizes = [...data];
  padded.forEach((axis, i) => {
    const a = context.axis(axis, data.length);
    sizes[a] = plus(plus(data[a], pads[i]), pads[i + padded.length]);
  });
  return withShape(context, sizes);
};

const constantOfShape: InferenceRule = (context) => {
  const fill = tensorAttribute(context.node, 'value');
  return [{ elementType: fill?.elementType ?? DataType.float32, shape: shapeInput(context, 0) }];
};

/** Operators that move, repeat or pick elements. */
export const movementRules: readonly (readonly [string, InferenceRule])[] = [
  ['Reshape', reshape],
  ['Transpose', transpose],
  ['Squeeze', squeeze],
  ['Unsqueeze', unsqueeze],
  ['Expand', expand],
  ['Concat', concat],
  ['Slice', slice],
  ['Gather', gather],
  ['GatherND', gatherNd],
  ['GatherElements', (context) => withShape(context, context.shape(1))],
  ['ScatterElements', (context) => withShape(context, context.shape(0))],
  ['ScatterND', (context) => withShape(context, context.shape(0))],
  ['Split', split],
  ['Tile', tile],
  ['Flatten', flatten],
  ['Pad', pad],
  ['ConstantOfShape', constantOfShape],
  ['Shape', shapeOf],
  ['Size', () => [{ elementType: DataType.int64, shape: [] }]],
  ['Range', (context) => withShape(context, [context.contents(0) && rangeLength(context)])],
  ['NonZero', ({ shape }) => [{ elementType: DataType.int64, shape: [shape(0)?.length, undefined] }]],
];

function shapeOf({ node, shape }: InferenceContext): TensorType[] {
  const rank = shape(0)?.length;
  if (rank === undefined) return [{ elementType: DataType.int64, shape: [undefined] }];
  const all = Array.from({ length: rank }, (_, axis) => axis);
  const taken = all.slice(intAttribute(node, 'start', 0), intAttribute(node, 'end', rank));
  return [{ elementType: DataType.int64, shape: [taken.length] }];
}

function rangeLength({ contents }: InferenceContext): Dimension {
  const [start, limit, delta] = [0, 1, 2].map((index) => contents(index)?.values[0]);
  if (start === 0 && delta === 1 && typeof limit === 'string') return limit;
  if (!isInteger(start) || !isInteger(limit) || !isInteger(delta) || delta === 0) return undefined;
  return Math.max(0, Math.ceil((limit - start) / delta));
}

function isInteger(value: Dimension): value is number {
  return Number.isInteger(value);
}
