import { intAttribute, intsAttribute, stringAttribute } from '../../onnx/attributes.ts';
import type { Dimension, OnnxNode, Tensor } from '../../onnx/graph.ts';
import { indexValues, tensorValues } from '../../onnx/tensor.ts';
import type { GraphRecorder } from '../graph-recorder.ts';
import {
  broadcastTo,
  concatenated,
  gathered,
  positions,
  sizeOf,
  transposed,
  type IndexArray,
} from './index-array.ts';
import { leadingPositions } from './leading-positions.ts';
import { scaleRows, selectRows, stackRows, sumRows, zeroMatrix, type SparseMatrix } from './sparse-matrix.ts';

/**
 * A value as a constant linear map of another one, sample by sample: with the batch axis set apart and the other axes
 * flattened, `value[b, :] = matrix base[b, :]`.
 */
export interface StaticView {
  /** The other value, its batch axis first; undefined for a value of zeros. */
  readonly base: string | undefined;
  readonly matrix: SparseMatrix;
  readonly batchAxis: number;
  /** Whether elements were picked by index on the way, which a product with a sparse matrix can speed up. */
  readonly indexed: boolean;
}

/** Values with more elements per sample are left as they are: a bound on what a file can make this code allocate. */
const MAX_ROWS = 1 << 21;

/** Sizes without the batch axis; undefined unless they are all numbers of a sensible size. */
export function restOf(
  shape: readonly Dimension[] | undefined,
  batchAxis: number,
): readonly number[] | undefined {
  const rest = shape?.filter((_, axis) => axis !== batchAxis);
  if (!rest?.every((size): size is number => typeof size === 'number')) return undefined;
  return sizeOf(rest) <= MAX_ROWS ? rest : undefined;
}

/** Rows of a value's view of itself; undefined if it has none. */
export function ownRows(graph: GraphRecorder, value: string): number | undefined {
  const shape = graph.shape(value);
  const rest = restOf(shape, 0);
  if (rest === undefined || shape!.length < 2 || graph.constantValue(value) !== undefined) return undefined;
  return sizeOf(rest);
}

/** What a rule for one operator works with. */
export interface Step {
  readonly graph: GraphRecorder;
  readonly node: OnnxNode;
  readonly view: (index: number) => StaticView | undefined;
  readonly output: number;
}

type Rule = (step: Step) => StaticView | undefined;

/**
 * The view of output `output` of a node, from views of its inputs; undefined unless the node is a constant linear map.
 */
export function viewThrough(step: Step): StaticView | undefined {
  return step.node.domain === '' ? rules.get(step.node.opType)?.(step) : undefined;
}

function constantIndices(tensor: Tensor | undefined, size: number): IndexArray | undefined {
  const data = tensor && indexValues(tensor);
  if (data === undefined) return undefined;
  for (let i = 0; i < data.length; i++) {
    if (data[i]! < 0) data[i]! += size;
    if (data[i]! < 0 || data[i]! >= size) return undefined;
  }
  return { dims: tensor!.dims, data };
}

/** Rows of the input's matrix, picked and repeated according to `source`. */
function picked(view: StaticView, source: IndexArray, batchAxis: number, indexed = view.indexed): StaticView {
  return { base: view.base, matrix: selectRows(view.matrix, source.data), batchAxis, indexed };
}

function axisFromFront(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

/** Index of an axis among those other than the batch axis. */
function restAxis(axis: number, batchAxis: number): number {
  return axis < batchAxis ? axis : axis - 1;
}

/** View, shape, rest and rank of the first input; undefined unless all are known. */
function firstInput({ graph, node, view }: Step) {
  const own = view(0);
  const shape = graph.shape(node.inputs[0] ?? '');
  const rest = own && restOf(shape, own.batchAxis);
  return own && shape && rest ? { view: own, shape, rest, rank: shape.length } : undefined;
}

const gather: Rule = (step) => {
  const input = firstInput(step);
  if (input === undefined) return undefined;
  const { view, rest, shape, rank } = input;
  const axis = axisFromFront(intAttribute(step.node, 'axis', 0), rank);
  const size = shape[axis];
  if (axis === view.batchAxis || typeof size !== 'number') return undefined;
  const indices = constantIndices(step.graph.constantValue(step.node.inputs[1]!), size);
  if (indices === undefined) return undefined;
  const source = gathered(positions(rest), restAxis(axis, view.batchAxis), indices);
  const batchAxis = axis < view.batchAxis ? view.batchAxis + indices.dims.length - 1 : view.batchAxis;
  return picked(view, source, batchAxis, true);
};

const gatherNd: Rule = (step) => {
  const input = firstInput(step);
  if (input === undefined || intAttribute(step.node, 'batch_dims', 0) !== 0) return undefined;
  const { view, rest, shape } = input;
  const leading = leadingPositions(step.graph.constantValue(step.node.inputs[1]!), shape, view.batchAxis);
  if (leading === undefined) return undefined;
  const depth = step.graph.constantValue(step.node.inputs[1]!)!.dims.at(-1)!;
  const flat: IndexArray = { ...positions(rest), dims: [sizeOf(rest.slice(0, depth)), ...rest.slice(depth)] };
  return picked(view, gathered(flat, 0, leading), view.batchAxis - depth + leading.dims.length, true);
};

/** Adds views of the same base, or a view and zeros. */
function added(a: StaticView, b: StaticView, rowOfB: ArrayLike<number>): StaticView | undefined {
  const base = a.base ?? b.base;
  if ((a.base ?? base) !== (b.base ?? base) || a.batchAxis !== b.batchAxis) return undefined;
  const columns = a.base === undefined ? b.matrix.columns : a.matrix.columns;
  const widened = (matrix: SparseMatrix): SparseMatrix => ({ ...matrix, columns });
  const target = new Int32Array(a.matrix.rows + b.matrix.rows);
  for (let row = 0; row < a.matrix.rows; row++) target[row] = row;
  for (let row = 0; row < b.matrix.rows; row++) target[a.matrix.rows + row] = rowOfB[row]!;
  const matrix = sumRows(stackRows([widened(a.matrix), widened(b.matrix)]), target, a.matrix.rows);
  return { base, matrix, batchAxis: a.batchAxis, indexed: true };
}

const scatterNd: Rule = (step) => {
  const input = firstInput(step);
  const updates = step.view(2);
  if (input === undefined || updates === undefined) return undefined;
  if (stringAttribute(step.node, 'reduction', 'none') !== 'add') return undefined;
  const { view, rest, shape } = input;
  const leading = leadingPositions(step.graph.constantValue(step.node.inputs[1]!), shape, view.batchAxis);
  if (leading === undefined) return undefined;
  const depth = step.graph.constantValue(step.node.inputs[1]!)!.dims.at(-1)!;
  const aligned = { ...updates, batchAxis: updates.batchAxis - leading.dims.length + depth };
  const flat: IndexArray = { ...positions(rest), dims: [sizeOf(rest.slice(0, depth)), ...rest.slice(depth)] };
  const rows = gathered(flat, 0, leading).data;
  return rows.length === updates.matrix.rows ? added(view, aligned, rows) : undefined;
};

const transpose: Rule = (step) => {
  const input = firstInput(step);
  if (input === undefined) return undefined;
  const { view, rest, rank } = input;
  const permutation =
    intsAttribute(step.node, 'perm') ?? Array.from({ length: rank }, (_, axis) => rank - 1 - axis);
  const axes = permutation
    .filter((axis) => axis !== view.batchAxis)
    .map((axis) => restAxis(axis, view.batchAxis));
  return picked(view, transposed(positions(rest), axes), permutation.indexOf(view.batchAxis));
};

/** Reshape, Flatten, Squeeze and Unsqueeze keep the order of elements; the batch axis has to stay first or last. */
const reshape: Rule = (step) => {
  const input = firstInput(step);
  const shape = step.graph.shape(step.node.outputs[0]!);
  if (input === undefined || shape === undefined || shape.length === 0) return undefined;
  const { view, rank } = input;
  const batch = input.shape[view.batchAxis];
  if (batch === undefined) return undefined;
  const batchAxis = view.batchAxis === 0 ? 0 : shape.length - 1;
  if (view.batchAxis !== 0 && view.batchAxis !== rank - 1) return undefined;
  const rest = restOf(shape, batchAxis);
  if (shape[batchAxis] !== batch || rest === undefined || sizeOf(rest) !== view.matrix.rows) return undefined;
  return { ...view, batchAxis };
};

const expand: Rule = (step) => {
  const input = firstInput(step);
  const shape = step.graph.shape(step.node.outputs[0]!);
  if (input === undefined || shape === undefined) return undefined;
  const { view, rest, rank } = input;
  const batchAxis = view.batchAxis + shape.length - rank;
  const outputs = restOf(shape, batchAxis);
  if (outputs === undefined || shape[batchAxis] !== input.shape[view.batchAxis]) return undefined;
  const source = broadcastTo(positions(rest), outputs);
  return source && picked(view, source, batchAxis);
};

/** Zeros stay zeros whatever the batch; any axis of unknown size can be the batch axis. */
const zeros: Rule = ({ graph, node }) => {
  const value = graph.constantValue(node.inputs[0]!);
  const shape = graph.shape(node.outputs[0]!);
  const filled = node.opType === 'ConstantOfShape' ? !node.attributes.has('value') : isZero(value);
  const named = shape?.flatMap((size, axis) => (typeof size === 'number' ? [] : [axis])) ?? [];
  if (!filled || shape === undefined || named.length > 1) return undefined;
  const batchAxis = named[0] ?? 0;
  const rest = restOf(shape, batchAxis);
  return rest && { base: undefined, matrix: zeroMatrix(sizeOf(rest), 0), batchAxis, indexed: false };
};

function isZero(tensor: Tensor | undefined): boolean {
  return tensor !== undefined && tensor.bytes.length <= 4096 && tensor.bytes.every((byte) => byte === 0);
}

/** Scales elements by factors that do not depend on the sample: a constant that broadcasts to the value. */
function scaled(step: Step, index: number, invert: boolean): StaticView | undefined {
  const { graph, node } = step;
  const view = step.view(index);
  const constant = graph.constantValue(node.inputs[1 - index]!);
  const shape = graph.shape(node.outputs[0]!);
  const own = graph.shape(node.inputs[index]!);
  if (view === undefined || constant === undefined || shape === undefined || own === undefined)
    return undefined;
  const batchAxis = view.batchAxis + shape.length - own.length;
  const outputs = restOf(shape, batchAxis);
  const rest = restOf(own, view.batchAxis);
  const constantBatch = batchAxis - shape.length + constant.dims.length;
  if (outputs === undefined || rest === undefined || shape[batchAxis] !== own[view.batchAxis])
    return undefined;
  if (constantBatch >= 0 && constant.dims[constantBatch] !== 1) return undefined;
  const constantRest = constant.dims.filter((_, axis) => axis !== constantBatch);
  const factorOf = broadcastTo(positions(constantRest), outputs);
  const source = broadcastTo(positions(rest), outputs);
  if (factorOf === undefined || source === undefined) return undefined;
  const factors = tensorValues(constant);
  const repeated = picked(view, source, batchAxis);
  const factor = (row: number): number =>
    invert ? 1 / factors[factorOf.data[row]!]! : factors[factorOf.data[row]!]!;
  return { ...repeated, matrix: scaleRows(repeated.matrix, factor) };
}

const reduce: Rule = (step) => {
  const input = firstInput(step);
  const { graph, node } = step;
  if (input === undefined || !node.inputs[1]) return undefined;
  const { view, rest, rank } = input;
  const axes = graph.contents(node.inputs[1]);
  if (axes === undefined || axes.length === 0) return undefined;
  const reduced = new Set<number>();
  for (const axis of axes) {
    if (typeof axis !== 'number') return undefined;
    reduced.add(axisFromFront(axis, rank));
  }
  if (reduced.has(view.batchAxis)) return undefined;
  const inRest = new Set([...reduced].map((axis) => restAxis(axis, view.batchAxis)));
  const kept = rest.map((size, axis) => (inRest.has(axis) ? 1 : size));
  const target = broadcastTo(positions(kept), rest)!;
  const summed = sumRows(view.matrix, target.data, sizeOf(kept));
  const count = sizeOf(rest) / sizeOf(kept);
  const matrix = node.opType === 'ReduceMean' ? scaleRows(summed, () => 1 / count) : summed;
  const below = [...reduced].filter((axis) => axis < view.batchAxis).length;
  const keeps = intAttribute(node, 'keepdims', 1) === 1;
  return { ...view, matrix, batchAxis: keeps ? view.batchAxis : view.batchAxis - below };
};

const concat: Rule = (step) => {
  const { graph, node } = step;
  const first = firstInput(step);
  const views = node.inputs.map((_, index) => step.view(index));
  if (first === undefined || !views.every((view) => view !== undefined)) return undefined;
  const base = views.find((view) => view.base !== undefined)?.base;
  const { batchAxis } = first.view;
  const alike = views.every((view) => (view.base ?? base) === base && view.batchAxis === batchAxis);
  const axis = axisFromFront(intAttribute(node, 'axis', 0), first.rank);
  if (!alike || base === undefined || axis === batchAxis) return undefined;
  const { columns } = views.find((view) => view.base !== undefined)!.matrix;
  let offset = 0;
  const parts: IndexArray[] = [];
  for (const [index, { matrix }] of views.entries()) {
    const rest = restOf(graph.shape(node.inputs[index]!), batchAxis);
    const along = restAxis(axis, batchAxis);
    if (rest?.length !== first.rest.length) return undefined;
    if (rest.some((size, a) => a !== along && size !== first.rest[a])) return undefined;
    const own = positions(rest);
    parts.push({ ...own, data: own.data.map((row) => row + offset) });
    offset += matrix.rows;
  }
  const source = concatenated(parts, restAxis(axis, batchAxis));
  const stacked = stackRows(views.map(({ matrix }) => ({ ...matrix, columns })));
  const indexed = views.some((view) => view.indexed);
  return { base, matrix: selectRows(stacked, source.data), batchAxis, indexed };
};

const split: Rule = (step) => {
  const input = firstInput(step);
  const { graph, node, output } = step;
  if (input === undefined) return undefined;
  const { view, rest, rank } = input;
  const axis = axisFromFront(intAttribute(node, 'axis', 0), rank);
  const sizes = node.outputs.map((name) => graph.shape(name)?.[axis]);
  if (axis === view.batchAxis || !sizes.every((size) => typeof size === 'number')) return undefined;
  const start = sizes.slice(0, output).reduce((sum, size) => sum + size, 0);
  const along = Int32Array.from({ length: sizes[output]! }, (_, i) => start + i);
  const source = gathered(positions(rest), restAxis(axis, view.batchAxis), {
    dims: [along.length],
    data: along,
  });
  return picked(view, source, view.batchAxis);
};

const rules: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['Gather', gather],
  ['GatherND', gatherNd],
  ['ScatterND', scatterNd],
  ['Transpose', transpose],
  ['Reshape', reshape],
  ['Flatten', reshape],
  ['Squeeze', reshape],
  ['Unsqueeze', reshape],
  ['Identity', ({ view }) => view(0)],
  ['Expand', (step) => (step.graph.constantValue(step.node.inputs[0]!) ? zeros(step) : expand(step))],
  ['ConstantOfShape', zeros],
  ['Mul', (step) => scaled(step, 0, false) ?? scaled(step, 1, false)],
  ['Div', (step) => scaled(step, 0, true)],
  ['Neg', ({ view }) => view(0) && { ...view(0)!, matrix: scaleRows(view(0)!.matrix, () => -1) }],
  ['ReduceSum', reduce],
  ['ReduceMean', reduce],
  ['Concat', concat],
  ['Split', split],
]);
