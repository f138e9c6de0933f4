import type { Dimension } from './graph.ts';

/** A product of an integer and named sizes: the only arithmetic on named sizes that tensor shapes need. */
interface Monomial {
  readonly factor: number;
  readonly symbols: readonly string[];
}

function parse(dimension: number | string): Monomial {
  if (typeof dimension === 'number') return { factor: dimension, symbols: [] };
  const parts = dimension.split('*');
  const factor = /^\d+$/.test(parts[0]!) ? Number(parts.shift()) : 1;
  return { factor, symbols: parts };
}

function format({ factor, symbols }: Monomial): number | string {
  if (symbols.length === 0 || factor === 0) return factor;
  const sorted = [...symbols].sort();
  return (factor === 1 ? sorted : [String(factor), ...sorted]).join('*');
}

/** The product of two sizes; undefined if one is unknown. */
export function multiply(a: Dimension, b: Dimension): Dimension {
  if (a === 0 || b === 0) return 0;
  if (a === undefined || b === undefined) return undefined;
  if (Number(a) < 0 || Number(b) < 0)
    return typeof a === 'number' && typeof b === 'number' ? a * b : undefined;
  const left = parse(a);
  const right = parse(b);
  return format({ factor: left.factor * right.factor, symbols: [...left.symbols, ...right.symbols] });
}

/** The product of all sizes; 1 for none, undefined if one is unknown. */
export function product(dimensions: readonly Dimension[]): Dimension {
  return dimensions.reduce<Dimension>(multiply, 1);
}

/** The quotient if it is such a product again; undefined otherwise. */
export function divide(a: Dimension, b: Dimension): Dimension {
  if (a === undefined || b === undefined || b === 0) return undefined;
  if (Number(a) < 0 || Number(b) < 0) return undefined;
  const dividend = parse(a);
  const divisor = parse(b);
  const symbols = [...dividend.symbols];
  for (const symbol of divisor.symbols) {
    const at = symbols.indexOf(symbol);
    if (at < 0) return undefined;
    symbols.splice(at, 1);
  }
  const factor = dividend.factor / divisor.factor;
  return Number.isInteger(factor) ? format({ factor, symbols }) : undefined;
}

/** The sum of two sizes if both are numbers or one is zero; undefined otherwise. */
export function plus(a: Dimension, b: Dimension): Dimension {
  if (a === 0) return b;
  if (b === 0) return a;
  return typeof a === 'number' && typeof b === 'number' ? a + b : undefined;
}

/**
 * The size of an axis after broadcasting. A named size may turn out to be 1, so two different names give an unknown
 * size; a number above 1 wins over a name.
 */
export function broadcastDimension(a: Dimension, b: Dimension): Dimension {
  if (a === 1) return b;
  if (b === 1 || (a === b && a !== undefined)) return a;
  if (typeof a === 'number') return a;
  return typeof b === 'number' ? b : undefined;
}

/** The shape after broadcasting (ONNX: aligned at the last axis); undefined if a rank is unknown. */
export function broadcastShapes(
  shapes: readonly (readonly Dimension[] | undefined)[],
): readonly Dimension[] | undefined {
  let result: readonly Dimension[] = [];
  for (const shape of shapes) {
    if (shape === undefined) return undefined;
    if (shape === result || shape.length === 0) continue;
    if (result.length === 0) {
      result = shape;
      continue;
    }
    const rank = Math.max(result.length, shape.length);
    const left = padded(result, rank);
    const right = padded(shape, rank);
    result = left.map((dimension, axis) => broadcastDimension(dimension, right[axis]));
  }
  return result;
}

/** Whether shapes broadcast, as far as their sizes are numbers: on each axis they are equal or 1. */
export function canBroadcast(shapes: readonly (readonly Dimension[] | undefined)[]): boolean {
  // Sizes other than 1, indexed from the last axis.
  const fixed: (number | undefined)[] = [];
  for (let i = 0; i < shapes.length; i++) {
    const shape = shapes[i];
    if (shape === undefined || (i > 0 && shape === shapes[i - 1])) continue;
    for (let fromEnd = 0; fromEnd < shape.length; fromEnd++) {
      const size = shape[shape.length - 1 - fromEnd];
      if (typeof size !== 'number' || size === 1) continue;
      if ((fixed[fromEnd] ??= size) !== size) return false;
    }
  }
  return true;
}

/** Whether two sizes are different numbers. */
export function differ(a: Dimension, b: Dimension): boolean {
  return typeof a === 'number' && typeof b === 'number' && a !== b;
}

/** A shape, for messages. */
export function shapeText(shape: readonly Dimension[] | undefined): string {
  return shape === undefined ? '[?]' : `[${shape.map((size) => size ?? '?').join(', ')}]`;
}

/** `shape` with leading axes of size 1, up to `rank` axes. */
export function padded(shape: readonly Dimension[], rank: number): readonly Dimension[] {
  return [...Array<Dimension>(rank - shape.length).fill(1), ...shape];
}

/** Whether every size is a number. */
export function isStatic(shape: readonly Dimension[] | undefined): shape is readonly number[] {
  return shape?.every((dimension) => typeof dimension === 'number') ?? false;
}
