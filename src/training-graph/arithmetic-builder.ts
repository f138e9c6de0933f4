import type { ElementType } from '../onnx/data-type.ts';
import type { Dimension } from '../onnx/graph.ts';
import { elementCount, tensorValues } from '../onnx/tensor.ts';
import { GraphRecorder } from './graph-recorder.ts';

/** Arithmetic, element by element. Shapes broadcast as in ONNX. */
export class ArithmeticBuilder extends GraphRecorder {
  add(a: string, b: string): string {
    return this.#elementwise('Add', a, b);
  }

  sub(a: string, b: string): string {
    return this.#elementwise('Sub', a, b);
  }

  mul(a: string, b: string): string {
    if (this.#isOne(b)) return a;
    if (this.#isOne(a)) return b;
    return this.#elementwise('Mul', a, b);
  }

  div(a: string, b: string): string {
    return this.#isOne(b) ? a : this.#elementwise('Div', a, b);
  }

  /** Skips an Expand to the other operand's shape: element-wise operators broadcast by themselves. */
  #elementwise(opType: string, a: string, b: string): string {
    const [left, right] = [this.#beforeExpand(a, b), this.#beforeExpand(b, a)];
    // One of the operands has to keep the shape.
    return this.op(opType, left === a ? [a, right] : [left, b]);
  }

  #beforeExpand(x: string, other: string): string {
    const node = this.producer(x);
    if (node?.opType !== 'Expand' || node.domain !== '') return x;
    return sameShape(this.shape(x), this.shape(other)) ? node.inputs[0]! : x;
  }

  neg(x: string): string {
    return this.op('Neg', [x]);
  }

  /** `x` times a number. */
  scale(x: string, factor: number): string {
    return this.mul(x, this.scalar(factor));
  }

  /** The sum of one or more values of the same shape. */
  sum(values: readonly string[]): string {
    return values.reduce((total, value) => this.add(total, value));
  }

  cast(x: string, to: ElementType): string {
    return this.type(x).elementType === to ? x : this.op('Cast', [x], { to: { int: to } });
  }

  /** Elements of `x` where `condition` holds, elements of `y` elsewhere. */
  where(condition: string, x: string, y: string): string {
    return this.op('Where', [condition, x, y]);
  }

  /** The value of a constant with a single element; undefined for any other value. */
  scalarValue(value: string): number | undefined {
    const tensor = this.constantValue(value);
    if (tensor === undefined || elementCount(tensor.dims) !== 1) return undefined;
    return tensorValues(tensor)[0];
  }

  /** Multiplying by a scalar 1 changes nothing, not even the shape. */
  #isOne(value: string): boolean {
    return this.constantValue(value)?.dims.length === 0 && this.scalarValue(value) === 1;
  }
}

/** Whether two shapes are known to be the same, named sizes included. */
export function sameShape(a: readonly Dimension[] | undefined, b: readonly Dimension[] | undefined): boolean {
  if (a === undefined || b?.length !== a.length) return false;
  return a.every((size, axis) => size !== undefined && size === b[axis]);
}
