import { DataType } from '../onnx/data-type.ts';
import { isStatic, padded } from '../onnx/dimension.ts';
import type { Dimension, OnnxNode, TensorType } from '../onnx/graph.ts';
import { float32Tensor } from '../onnx/tensor.ts';
import { ArithmeticBuilder, sameShape } from './arithmetic-builder.ts';
import { encodedAttributes, type AttributeInit } from './node-key.ts';
import { lowerings } from './lowering.ts';
import type { SparseMatrix } from './sparse/sparse-matrix.ts';

/** A product with a constant matrix, whose result has its batch axis at `batchAxis`. */
export interface LinearMap {
  readonly matrix: SparseMatrix;
  readonly batchAxis: number;
}

/**
 * Adds operations to a training graph; gradient rules and custom losses are written with it. A value is represented by
 * its name. Shapes broadcast as in ONNX; sizes known only when the graph runs are handled then.
 */
export class GraphBuilder extends ArithmeticBuilder {
  /** The matrices of the tape nodes that represent constant linear maps. */
  readonly linearMaps = new Map<OnnxNode, LinearMap>();

  /** A builder for a subgraph of a node of this graph, which can read this graph's values. */
  inner(scope: string): GraphBuilder {
    const inner = new GraphBuilder(this.opset, this);
    inner.scope = scope;
    return inner;
  }

  /** Adds a node with one output and returns its name. Activations whose kernels lose relative accuracy are lowered. */
  override op(opType: string, inputs: readonly string[], attributes: AttributeInit = {}): string {
    const lowering = lowerings.get(opType);
    const [x] = inputs;
    if (lowering === undefined || x === undefined) return super.op(opType, inputs, attributes);
    const node = {
      name: '',
      opType,
      domain: '',
      inputs,
      outputs: [],
      attributes: encodedAttributes(attributes),
    };
    return this.recordAs(opType, '', x, () => lowering(this, x, node), attributes).value;
  }

  /** Adds a node of a model, lowered as in {@link op}. */
  addModelNode(node: OnnxNode, declared?: ReadonlyMap<string, TensorType>): void {
    const lowering = node.domain === '' ? lowerings.get(node.opType) : undefined;
    const [x, y] = [node.inputs[0], node.outputs[0]];
    if (lowering === undefined || x === undefined || y === undefined) {
      this.addForeignNode(node, declared);
      return;
    }
    const { scope } = this;
    this.scope = `${y}/`;
    this.addForeignNodeAs(node, () => lowering(this, x, node), declared);
    this.scope = scope;
  }

  /**
   * -1, 0 or 1; NaN stays NaN. The WebGPU provider has no kernel for Sign. (A GPU may flush numbers below the smallest
   * normal float32 to 0, as it does everywhere.)
   */
  sign(x: string): string {
    const zero = this.scalar(0);
    const notAbove = this.where(this.op('Less', [x, zero]), this.scalar(-1), x);
    return this.where(this.op('Greater', [x, zero]), this.scalar(1), notAbove);
  }

  /** log(softmax(x)) along an axis, from operators that every provider supports; differentiated as LogSoftmax. */
  logSoftmax(x: string, axis: number): string {
    const emit = (): string => {
      const below = this.sub(x, this.op('ReduceMax', [x, this.ints([axis])], { keepdims: { int: 1 } }));
      return this.sub(below, this.op('Log', [this.reduceSum(this.op('Exp', [below]), [axis], true)]));
    };
    return this.recordAs('LogSoftmax', '', x, emit, { axis: { int: axis } }).value;
  }

  /** float32 1 where `a > b`, 0 elsewhere. */
  indicatorGreater(a: string, b: string): string {
    return this.cast(this.op('Greater', [a, b]), DataType.float32);
  }

  /** Sum over `axes`, or over all axes. */
  reduceSum(x: string, axes?: readonly number[], keepDims = false): string {
    return this.#reduce('ReduceSum', x, axes, keepDims);
  }

  /** Mean over `axes`, or over all axes. */
  reduceMean(x: string, axes?: readonly number[], keepDims = false): string {
    return this.#reduce('ReduceMean', x, axes, keepDims);
  }

  #reduce(opType: string, x: string, axes: readonly number[] | undefined, keepDims: boolean): string {
    if (axes?.length === 0) return x;
    const inputs = axes === undefined ? [x] : [x, this.ints(axes)];
    return this.op(opType, inputs, { keepdims: { int: keepDims ? 1 : 0 } });
  }

  matMul(a: string, b: string): string {
    return this.op('MatMul', [a, b]);
  }

  transpose(x: string, permutation: readonly number[]): string {
    if (permutation.every((from, to) => from === to)) return x;
    return this.op('Transpose', [x], { perm: { ints: permutation } });
  }

  /** Swaps the last two axes of a value of known rank. */
  transposeMatrix(x: string, rank: number): string {
    const axes = Array.from({ length: rank }, (_, axis) => axis);
    return this.transpose(x, [...axes.slice(0, -2), rank - 1, rank - 2]);
  }

  concat(values: readonly string[], axis: number): string {
    return values.length === 1 ? values[0]! : this.op('Concat', values, { axis: { int: axis } });
  }

  /** Elements `start` to `end` (exclusive) along one axis. */
  slice(x: string, axis: number, start: number, end: number, step = 1): string {
    const inputs = [x, this.ints([start]), this.ints([end]), this.ints([axis])];
    return this.op('Slice', step === 1 ? inputs : [...inputs, this.ints([step])]);
  }

  unsqueeze(x: string, axes: readonly number[]): string {
    return axes.length === 0 ? x : this.op('Unsqueeze', [x, this.ints(axes)]);
  }

  squeeze(x: string, axes: readonly number[]): string {
    return axes.length === 0 ? x : this.op('Squeeze', [x, this.ints(axes)]);
  }

  gather(x: string, indices: string, axis: number): string {
    return this.op('Gather', [x, indices], { axis: { int: axis } });
  }

  /** Reshapes to `shape`, which may contain one named size. */
  reshape(x: string, shape: readonly Dimension[]): string {
    if (sameShape(this.shape(x), shape)) return x;
    const sizes = this.ints(shape.map((size) => (typeof size === 'number' ? size : -1)));
    // Without `allowzero`, a size of 0 would copy that of `x`.
    const zeros = isStatic(shape) && shape.includes(0);
    return this.op('Reshape', [x, sizes], zeros ? { allowzero: { int: 1 } } : {});
  }

  /** Reshapes to the shape of `like`. */
  reshapeLike(x: string, like: string): string {
    const shape = this.shape(like);
    if (shape === undefined) return this.op('Reshape', [x, this.shapeTensor(like)]);
    if (sameShape(this.shape(x), shape)) return x;
    const named = shape.filter((size) => typeof size !== 'number').length;
    if (named === 0 || (named === 1 && !shape.includes(0))) return this.reshape(x, shape);
    return this.op('Reshape', [x, this.shapeTensor(like)]);
  }

  /** Broadcasts `x` to the shape of `like`: repeats axes of size 1 and adds leading axes. */
  expandLike(x: string, like: string): string {
    return sameShape(this.shape(x), this.shape(like)) ? x : this.op('Expand', [x, this.shapeTensor(like)]);
  }

  /** The shape of a value as an int64 tensor; a constant if it is known. */
  shapeTensor(x: string): string {
    const shape = this.shape(x);
    return isStatic(shape) ? this.ints(shape) : this.op('Shape', [x]);
  }

  /**
   * The number of elements of a value along `axes` (default: of the whole value), as a float32 scalar. Sizes known only
   * at run time are counted as sums of ones: runtimes keep sizes as integers on the host, and reading one by Size and
   * Cast costs the WebGPU provider a copy of `x` out of the GPU.
   */
  elementCount(x: string, axes?: readonly number[]): string {
    const shape = this.shape(x);
    if (shape === undefined) return this.cast(this.op('Size', [x]), DataType.float32);
    const counted = axes ?? Array.from(shape, (_, axis) => axis);
    const named = counted.filter((axis) => typeof shape[axis] !== 'number');
    const known = counted.reduce((n, axis) => n * (named.includes(axis) ? 1 : (shape[axis] as number)), 1);
    return named.reduce((count, axis) => this.mul(count, this.#length(x, axis)), this.scalar(known));
  }

  /** The size of one axis, as a float32 scalar. */
  #length(x: string, axis: number): string {
    const size = this.op('Shape', [x], { start: { int: axis }, end: { int: axis + 1 } });
    return this.reduceSum(this.op('Expand', [this.scalar(1), size]));
  }

  /** float32 zeros in the shape of `like`. */
  zerosLike(like: string): string {
    return this.expandLike(this.scalar(0), like);
  }

  /**
   * Undoes broadcasting: sums `x` over the axes along which `like` was repeated, down to the shape of `like`. Axes with
   * differently named sizes are compared when the graph runs.
   */
  sumLike(x: string, like: string): string {
    const from = this.shape(x);
    const to = this.shape(like);
    if (sameShape(from, to)) return x;
    if (from === undefined || to === undefined || from.length < to.length)
      return this.#sumLikeAtRunTime(x, like);
    const target = padded(to, from.length);
    const repeated: number[] = [];
    for (let axis = 0; axis < from.length; axis++) {
      if (target[axis] === from[axis] || isAboveOne(target[axis])) continue;
      if (target[axis] !== 1) return this.#sumLikeAtRunTime(x, like);
      repeated.push(axis);
    }
    const leading = from.length - to.length;
    if (repeated.every((axis) => axis < leading) && repeated.length === leading)
      return this.reduceSum(x, repeated);
    if (leading === 0) return this.reduceSum(x, repeated, true);
    const lead = Array.from({ length: leading }, (_, axis) => axis);
    return this.reshapeLike(this.reduceSum(x, [...new Set([...lead, ...repeated])]), like);
  }

  /** Summing over an axis where `like` has size 1 is correct whether or not it was repeated there. */
  #sumLikeAtRunTime(x: string, like: string): string {
    const target = this.op('Shape', [like]);
    const missing = this.sub(this.op('Shape', [this.op('Shape', [x])]), this.op('Shape', [target]));
    const ones = this.op('Expand', [this.ints([1]), missing]);
    const isOne = this.op('Equal', [this.concat([ones, target], 0), this.ints([1])]);
    const axes = this.op('Reshape', [this.op('NonZero', [isOne]), this.ints([-1])]);
    const summed = this.op('ReduceSum', [x, axes], {
      keepdims: { int: 1 },
      noop_with_empty_axes: { int: 1 },
    });
    return this.op('Reshape', [summed, target]);
  }

  /** A float32 constant of any shape. */
  tensor(dims: readonly number[], values: ArrayLike<number>): string {
    return this.constant(float32Tensor(dims, values));
  }
}

/** A size above 1 is never repeated. (Nor is 0, which may stand for an empty batch.) */
function isAboveOne(size: Dimension): boolean {
  return typeof size === 'number' && size !== 1;
}
