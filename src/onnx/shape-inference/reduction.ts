import { intAttribute } from '../attributes.ts';
import { DataType } from '../data-type.ts';
import type { Dimension } from '../graph.ts';
import type { InferenceContext, InferenceRule } from './knowledge.ts';
import { axesOf, distinctAxes } from './movement.ts';

function reducedShape(context: InferenceContext): readonly Dimension[] | undefined {
  const data = context.shape(0);
  if (data === undefined) return undefined;
  const keep = intAttribute(context.node, 'keepdims', 1) === 1;
  const given = axesOf(context);
  if (given === undefined) return keep ? data.map(() => undefined) : undefined;
  const all = given === 'absent' || given.length === 0;
  if (all && intAttribute(context.node, 'noop_with_empty_axes', 0) === 1) return data;
  const axes = new Set(all ? data.keys() : distinctAxes(context, given, data.length));
  return keep
    ? data.map((size, axis) => (axes.has(axis) ? 1 : size))
    : data.filter((_, axis) => !axes.has(axis));
}

const reduce: InferenceRule = (context) => [
  { elementType: context.type(0).elementType, shape: reducedShape(context) },
];

const argument: InferenceRule = (context) => {
  const data = context.shape(0);
  if (data === undefined) return [{ elementType: DataType.int64, shape: undefined }];
  const axis = context.axis(intAttribute(context.node, 'axis', 0), data.length);
  const keep = intAttribute(context.node, 'keepdims', 1) === 1;
  const shape = keep ? data.map((size, a) => (a === axis ? 1 : size)) : data.filter((_, a) => a !== axis);
  return [{ elementType: DataType.int64, shape }];
};

/** Mean and inverse standard deviation, the second and third outputs, keep the axes before the normalised ones. */
const layerNormalization: InferenceRule = (context) => {
  const data = context.shape(0);
  const elementType = context.type(0).elementType;
  const statistics = data?.map((size, a) =>
    a < context.axis(intAttribute(context.node, 'axis', -1), data.length) ? size : 1,
  );
  return context.node.outputs.map((_, index) => ({ elementType, shape: index === 0 ? data : statistics }));
};

const sameAsFirst: InferenceRule = ({ type }) => [type(0)];

/** Reductions and normalisations. */
export const reductionRules: readonly (readonly [string, InferenceRule])[] = [
  ...['Sum', 'Mean', 'Max', 'Min', 'Prod', 'SumSquare', 'L1', 'L2', 'LogSum', 'LogSumExp'].map(
    (name) => [`Reduce${name}`, reduce] as const,
  ),
  ['ArgMax', argument],
  ['ArgMin', argument],
  ['LayerNormalization', layerNormalization],
  ['RMSNormalization', sameAsFirst],
  ['BatchNormalization', sameAsFirst],
  ['InstanceNormalization', sameAsFirst],
  ['GroupNormalization', sameAsFirst],
];
