import { intAttribute, intsAttribute, tensorAttribute } from '../attributes.ts';
import { DataType, isFloatingPoint, type ElementType } from '../data-type.ts';
import { divide, multiply, plus } from '../dimension.ts';
import type { Dimension } from '../graph.ts';
import { tensorValues } from '../tensor.ts';
import { constantContents, type Contents, type ContentsRule, type InferenceContext } from './knowledge.ts';

/** Tensors longer than this are data, not shapes; a bound on what a hostile file can make this code allocate. */
const MAX_LENGTH = 256;

const shapeContents: ContentsRule = ({ node, shape }) => {
  const dims = shape(0);
  if (dims === undefined) return undefined;
  const start = intAttribute(node, 'start', 0);
  const end = intAttribute(node, 'end', dims.length);
  return { scalar: false, values: dims.slice(start, end) };
};

const sizeContents: ContentsRule = ({ shape }) => {
  const dims = shape(0);
  if (dims === undefined) return undefined;
  const value = dims.reduce<Dimension>(multiply, 1);
  return value === undefined ? undefined : { scalar: true, values: [value] };
};

const passContents: ContentsRule = ({ contents }) => contents(0);

const castContents: ContentsRule = ({ node, contents }) => castTo(contents(0), intAttribute(node, 'to', 0));

const castLikeContents: ContentsRule = ({ contents, type }) => castTo(contents(0), type(1).elementType ?? 0);

/** Exporters cast sizes to float32 to divide and round them; named sizes stay integers. */
function castTo(contents: Contents | undefined, to: ElementType): Contents | undefined {
  const cast = casts.get(to);
  return cast && contents && mapped(contents, cast);
}

const casts: ReadonlyMap<ElementType, (value: Dimension) => Dimension> = new Map([
  [DataType.int64, (value) => (typeof value === 'number' ? Math.trunc(value) : value)],
  [DataType.int32, (value) => (typeof value === 'number' ? inInt32(Math.trunc(value)) : value)],
  [DataType.bool, (value) => (typeof value === 'number' ? Number(value !== 0) : undefined)],
  [DataType.float32, (value) => (typeof value === 'number' ? Math.fround(value) : undefined)],
]);

function inInt32(value: number): number | undefined {
  return value === (value | 0) ? value : undefined;
}

function mapped({ scalar, values }: Contents, change: (value: Dimension) => Dimension): Contents {
  return { scalar, values: values.map(change) };
}

const unary =
  (change: (value: number) => number): ContentsRule =>
  ({ contents }) => {
    const data = contents(0);
    return data && mapped(data, (value) => (typeof value === 'number' ? finite(change(value)) : undefined));
  };

/** Infinities and NaN are neither sizes nor anything that sizes are computed from. */
function finite(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined;
}

function elementwise(combine: (a: Dimension, b: Dimension) => Dimension): ContentsRule {
  return ({ contents }) => {
    const a = contents(0);
    const b = contents(1);
    if (a === undefined || b === undefined) return undefined;
    const length = Math.max(a.values.length, b.values.length);
    if (![a, b].every(({ values }) => values.length === length || values.length === 1)) return undefined;
    return {
      scalar: a.scalar && b.scalar,
      values: Array.from({ length }, (_, i) => combine(at(a, i), at(b, i))),
    };
  };
}

/** Element `i`; a single element is broadcast. */
function at({ values }: Contents, i: number): Dimension {
  return values.length === 1 ? values[0] : values[i];
}

const numeric = (f: (a: number, b: number) => number) =>
  elementwise((a, b) => (typeof a === 'number' && typeof b === 'number' ? finite(f(a, b)) : undefined));

/** The result has the sign of the divisor, or of the dividend with `fmod` (ONNX Mod). */
const modContents: ContentsRule = (context) => {
  const likeDividend = intAttribute(context.node, 'fmod', 0) === 1;
  return elementwise((a, b) => {
    // `24*batch` modulo 8 is 0.
    if (typeof a !== 'number' || typeof b !== 'number') return divide(a, b) === undefined ? undefined : 0;
    const remainder = a % b;
    return finite(likeDividend || remainder === 0 || remainder < 0 === b < 0 ? remainder : remainder + b);
  })(context);
};

/** Comparisons of numbers. A named size is at least 0. */
const compared = (holds: (a: number, b: number) => boolean) =>
  elementwise((a, b) => {
    if (typeof a === 'number' && typeof b === 'number') return Number(holds(a, b));
    if (typeof a === 'string' && a === b) return Number(holds(0, 0));
    const [low, high] = [holds(0, -1), holds(-1, 0)];
    if (typeof a === 'string' && typeof b === 'number' && b < 0) return Number(low);
    if (typeof b === 'string' && typeof a === 'number' && a < 0) return Number(high);
    return undefined;
  });

const gatherContents: ContentsRule = ({ contents }) => {
  const data = contents(0);
  const indices = contents(1);
  if (data === undefined || indices === undefined || data.scalar) return undefined;
  const values: Dimension[] = [];
  for (const index of indices.values) {
    if (typeof index !== 'number') return undefined;
    const position = index < 0 ? index + data.values.length : index;
    if (position < 0 || position >= data.values.length) return undefined;
    values.push(data.values[position]);
  }
  return { scalar: indices.scalar, values };
};

const concatContents: ContentsRule = ({ node, contents }) => {
  const values: Dimension[] = [];
  for (let index = 0; index < node.inputs.length; index++) {
    const part = contents(index);
    if (part === undefined || part.scalar) return undefined;
    values.push(...part.values);
  }
  return values.length <= MAX_LENGTH ? { scalar: false, values } : undefined;
};

const sliceContents: ContentsRule = ({ node, contents }) => {
  const data = contents(0);
  const [start, end] = [single(contents(1)), single(contents(2))];
  const step = node.inputs[4] ? single(contents(4)) : 1;
  if (data === undefined || data.scalar || start === undefined || end === undefined || step !== 1)
    return undefined;
  return { scalar: false, values: data.values.slice(start, end) };
};

function single(contents: Contents | undefined): number | undefined {
  const value = contents?.values.length === 1 ? contents.values[0] : undefined;
  return typeof value === 'number' ? value : undefined;
}

const unsqueezeContents: ContentsRule = ({ contents }) => {
  const data = contents(0);
  return data?.scalar === true && contents(1)?.values.length === 1 ? { ...data, scalar: false } : undefined;
};

const squeezeContents: ContentsRule = ({ contents }) => {
  const data = contents(0);
  return data?.values.length === 1 ? { ...data, scalar: true } : undefined;
};

const reshapeContents: ContentsRule = ({ contents }) => {
  const data = contents(0);
  const target = contents(1);
  if (data === undefined || target === undefined || target.values.length > 1) return undefined;
  return { ...data, scalar: target.values.length === 0 };
};

const constantOfShapeContents: ContentsRule = ({ node, contents }) => {
  const length = single(contents(0));
  const fill = tensorAttribute(node, 'value');
  if (length === undefined || length > MAX_LENGTH || length < 0) return undefined;
  if (fill?.elementType !== DataType.int64) return undefined;
  return { scalar: false, values: Array<Dimension>(length).fill(tensorValues(fill)[0]) };
};

const whereContents: ContentsRule = ({ contents }) => {
  const [condition, yes, no] = [contents(0), contents(1), contents(2)];
  if (condition === undefined || yes === undefined || no === undefined) return undefined;
  const length = Math.max(condition.values.length, yes.values.length, no.values.length);
  const fits = [condition, yes, no].every(({ values }) => values.length === length || values.length === 1);
  if (!fits) return undefined;
  return {
    scalar: condition.scalar && yes.scalar && no.scalar,
    values: Array.from({ length }, (_, i) => {
      const choice = at(condition, i);
      return choice === undefined ? undefined : at(choice === 0 ? no : yes, i);
    }),
  };
};

/** A named size is at least 0, so it differs from a negative number: exporters test for -1 before Expand. */
const equalContents: ContentsRule = elementwise((a, b) => {
  if (a === undefined || b === undefined) return undefined;
  if (typeof a === 'number' && typeof b === 'number') return Number(a === b);
  if (a === b) return 1;
  return [a, b].some((value) => typeof value === 'number' && value < 0) ? 0 : undefined;
});

const rangeContents: ContentsRule = ({ contents }) => {
  const [start, limit, delta] = [single(contents(0)), single(contents(1)), single(contents(2))];
  if (start === undefined || limit === undefined || delta === undefined || delta === 0) return undefined;
  if (![start, limit, delta].every(Number.isInteger)) return undefined;
  const length = Math.max(0, Math.ceil((limit - start) / delta));
  if (length > MAX_LENGTH) return undefined;
  return { scalar: false, values: Array.from({ length }, (_, i) => start + i * delta) };
};

/** Contents have at most one axis, so any axes given mean that one; an empty list may mean that nothing is reduced. */
const reduced =
  (reduce: (values: readonly Dimension[]) => Dimension): ContentsRule =>
  ({ node, contents, type }) => {
    const data = contents(0);
    const axes = intsAttribute(node, 'axes') ?? (node.inputs[1] ? contents(1)?.values : []);
    if (data === undefined || data.scalar || axes === undefined || type(0).elementType === undefined)
      return undefined;
    if (axes.length === 0 && intAttribute(node, 'noop_with_empty_axes', 0) === 1) return data;
    const value = reduce(data.values);
    return value === undefined
      ? undefined
      : { scalar: intAttribute(node, 'keepdims', 1) === 0, values: [value] };
  };

const extreme = (f: (...values: number[]) => number) =>
  reduced((values) => {
    const known = values.every((value) => typeof value === 'number');
    return known && values.length > 0 ? f(...(values as number[])) : undefined;
  });

const constantNodeContents = ({ node }: InferenceContext): Contents | undefined => {
  const tensor = tensorAttribute(node, 'value');
  return tensor && constantContents(tensor);
};

/** Integer division truncates, float division does not. */
const divContents: ContentsRule = (context) =>
  isFloatingPoint(context.type(0).elementType ?? DataType.int64)
    ? numeric((a, b) => a / b)(context)
    : elementwise(divideTruncating)(context);

/** Min and Max take any number of operands. */
function manyNumbers(f: (...values: number[]) => number): ContentsRule {
  return ({ node, contents }) => {
    const operands = node.inputs.map((_, index) => contents(index));
    if (!operands.every((operand) => operand !== undefined) || operands.length === 0) return undefined;
    const length = Math.max(...operands.map(({ values }) => values.length));
    if (!operands.every(({ values }) => values.length === length || values.length === 1)) return undefined;
    const values = Array.from({ length }, (_, i): Dimension => {
      const own = operands.map((operand) => at(operand, i));
      return own.every((value) => typeof value === 'number') ? f(...own) : undefined;
    });
    return { scalar: operands.every(({ scalar }) => scalar), values };
  };
}

const expandContents: ContentsRule = ({ contents }) => {
  const data = contents(0);
  const length = single(contents(1));
  if (data?.values.length !== 1 || length === undefined || length < 1 || length > MAX_LENGTH)
    return undefined;
  return { scalar: false, values: Array<Dimension>(length).fill(data.values[0]) };
};

const tileContents: ContentsRule = ({ contents }) => {
  const data = contents(0);
  const repeats = single(contents(1));
  if (data === undefined || data.scalar || repeats === undefined || repeats < 0) return undefined;
  if (data.values.length * repeats > MAX_LENGTH) return undefined;
  return { scalar: false, values: Array.from({ length: repeats }, () => data.values).flat() };
};

/** Rules for the operators with which exporters compute shapes, for tensors whose elements are known. */
export const contentsRules: ReadonlyMap<string, ContentsRule> = new Map<string, ContentsRule>([
  ['Shape', shapeContents],
  ['Size', sizeContents],
  ['Identity', passContents],
  ['Cast', castContents],
  ['CastLike', castLikeContents],
  ['Constant', constantNodeContents],
  ['Gather', gatherContents],
  ['Concat', concatContents],
  ['Slice', sliceContents],
  ['Unsqueeze', unsqueezeContents],
  ['Squeeze', squeezeContents],
  ['Reshape', reshapeContents],
  ['ConstantOfShape', constantOfShapeContents],
  ['Where', whereContents],
  ['Equal', equalContents],
  ['Range', rangeContents],
  ['ReduceProd', reduced((values) => values.reduce<Dimension>(multiply, 1))],
  ['ReduceSum', reduced((values) => values.reduce<Dimension>(plus, 0))],
  ['ReduceMin', extreme(Math.min)],
  ['ReduceMax', extreme(Math.max)],
  ['Mul', elementwise(multiply)],
  ['Add', elementwise(plus)],
  ['Sub', elementwise((a, b) => (a === b && a !== undefined ? 0 : subtract(a, b)))],
  ['Div', divContents],
  ['Mod', modContents],
  ['Pow', numeric((a, b) => a ** b)],
  ['Min', manyNumbers(Math.min)],
  ['Max', manyNumbers(Math.max)],
  ['Neg', unary((value) => -value)],
  ['Abs', unary(Math.abs)],
  ['Sign', unary(Math.sign)],
  ['Floor', unary(Math.floor)],
  ['Ceil', unary(Math.ceil)],
  ['Not', unary((value) => Number(value === 0))],
  ['And', numeric((a, b) => Number(a !== 0 && b !== 0))],
  ['Or', numeric((a, b) => Number(a !== 0 || b !== 0))],
  ['Xor', numeric((a, b) => Number((a !== 0) !== (b !== 0)))],
  ['Less', compared((a, b) => a < b)],
  ['LessOrEqual', compared((a, b) => a <= b)],
  ['Greater', compared((a, b) => a > b)],
  ['GreaterOrEqual', compared((a, b) => a >= b)],
  ['Expand', expandContents],
  ['Tile', tileContents],
]);

function subtract(a: Dimension, b: Dimension): Dimension {
  if (b === 0) return a;
  return typeof a === 'number' && typeof b === 'number' ? a - b : undefined;
}

function divideTruncating(a: Dimension, b: Dimension): Dimension {
  if (typeof a === 'number' && typeof b === 'number') return b === 0 ? undefined : Math.trunc(a / b);
  return divide(a, b);
}
