import { intAttribute, intsAttribute, tensorAttribute } from '../attributes.ts';
import { DataType } from '../data-type.ts';
import { divide, multiply, plus } from '../dimension.ts';
import type { Dimension } from '../graph.ts';
import { isNumericType, tensorValues } from '../tensor.ts';
import type { Contents, ContentsRule, InferenceContext } from './knowledge.ts';

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

const castContents: ContentsRule = ({ node, contents }) => {
  const to = intAttribute(node, 'to', 0);
  const integral = ([DataType.int64, DataType.int32, DataType.bool] as number[]).includes(to);
  return integral ? contents(0) : undefined;
};

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

/** Element `i`, a single element standing for all. */
function at({ values }: Contents, i: number): Dimension {
  return values.length === 1 ? values[0] : values[i];
}

const numeric = (f: (a: number, b: number) => number) =>
  elementwise((a, b) => (typeof a === 'number' && typeof b === 'number' ? f(a, b) : undefined));

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

const sliceContents: ContentsRule = ({ contents }) => {
  const data = contents(0);
  const [start, end] = [single(contents(1)), single(contents(2))];
  const steps = contents(4);
  const step = steps === undefined ? 1 : single(steps);
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
  return {
    scalar: condition.scalar && yes.scalar && no.scalar,
    values: Array.from({ length }, (_, i) => {
      const choice = at(condition, i);
      return choice === undefined ? undefined : at(choice === 0 ? no : yes, i);
    }),
  };
};

/** A named size is at least 0, so it is no negative number: the test for -1 that exporters write before Expand. */
const equalContents: ContentsRule = elementwise((a, b) => {
  if (a === undefined || b === undefined) return undefined;
  if (typeof a === 'number' && typeof b === 'number') return Number(a === b);
  if (a === b) return 1;
  return [a, b].some((value) => typeof value === 'number' && value < 0) ? 0 : undefined;
});

const rangeContents: ContentsRule = ({ contents }) => {
  const [start, limit, delta] = [single(contents(0)), single(contents(1)), single(contents(2))];
  if (start === undefined || limit === undefined || delta === undefined || delta === 0) return undefined;
  const length = Math.max(0, Math.ceil((limit - start) / delta));
  if (length > MAX_LENGTH) return undefined;
  return { scalar: false, values: Array.from({ length }, (_, i) => start + i * delta) };
};

const reduceProdContents: ContentsRule = ({ node, contents, type }) => {
  const data = contents(0);
  const axes = intsAttribute(node, 'axes') ?? (node.inputs[1] ? contents(1)?.values : []);
  if (data === undefined || data.scalar || axes === undefined || type(0).elementType === undefined)
    return undefined;
  const value = data.values.reduce<Dimension>(multiply, 1);
  return value === undefined
    ? undefined
    : { scalar: intAttribute(node, 'keepdims', 1) === 0, values: [value] };
};

const constantNodeContents = ({ node }: InferenceContext): Contents | undefined => {
  const tensor = tensorAttribute(node, 'value');
  if (tensor === undefined || tensor.dims.length > 1 || !isNumericType(tensor.elementType)) return undefined;
  if (tensor.elementType !== DataType.int64 || (tensor.dims[0] ?? 1) > MAX_LENGTH) return undefined;
  return { scalar: tensor.dims.length === 0, values: tensorValues(tensor) };
};

/** How the operators that exporters compute shapes with act on tensors whose elements are known. */
export const contentsRules: ReadonlyMap<string, ContentsRule> = new Map<string, ContentsRule>([
  ['Shape', shapeContents],
  ['Size', sizeContents],
  ['Identity', passContents],
  ['Cast', castContents],
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
  ['ReduceProd', reduceProdContents],
  ['Mul', elementwise(multiply)],
  ['Add', elementwise(plus)],
  ['Sub', elementwise((a, b) => (a === b && a !== undefined ? 0 : subtract(a, b)))],
  ['Div', elementwise((a, b) => divideTruncating(a, b))],
  ['Min', numeric(Math.min)],
  ['Max', numeric(Math.max)],
]);

function subtract(a: Dimension, b: Dimension): Dimension {
  if (b === 0) return a;
  return typeof a === 'number' && typeof b === 'number' ? a - b : undefined;
}

function divideTruncating(a: Dimension, b: Dimension): Dimension {
  if (typeof a === 'number' && typeof b === 'number') return b === 0 ? undefined : Math.trunc(a / b);
  return divide(a, b);
}
