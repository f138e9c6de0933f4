/**
 * Activations written in operators that keep relative accuracy. The runtimes' kernels only bound the absolute error:
 * onnxruntime's Sigmoid in wasm has a relative error of 2e-4 at -8 and is 0 from -18 on, Softplus in its WebGPU
 * provider from -17 on, and WGSL guarantees tanh to 1e-5. The gradient through a nearly closed gate is then wrong or
 * lost. Their Exp kernels are correct up to the last few digits, however small the result. (Nor is it slower: the wasm
 * kernels of Elu and Softplus work element by element.)
 */
import { floatAttribute } from '../onnx/attributes.ts';
import type { OnnxNode } from '../onnx/graph.ts';
import type { ArithmeticBuilder } from './arithmetic-builder.ts';

/** The value of an operator with one input; `node` is read for its attributes. */
export type Lowering = (graph: ArithmeticBuilder, x: string, node: OnnxNode) => string;

/** Upper bound for a factor: its product with one that underflowed to 0 has to be 0, not NaN. */
const LARGEST = 3e38;

/** exp(min(factor x, 0)): the part of ELU and its variants below 0. */
export function expBelowZero(graph: ArithmeticBuilder, x: string, factor = 1): string {
  return graph.op('Exp', [graph.op('Min', [graph.scale(x, factor), graph.scalar(0)])]);
}

/** 1 / (1 + e^z), where `exp` is e^z. */
function share(graph: ArithmeticBuilder, exp: string): string {
  return graph.op('Reciprocal', [graph.add(exp, graph.scalar(1))]);
}

/** 1 / (1 + e^-x), accurate in both tails. */
export function sigmoid(graph: ArithmeticBuilder, x: string): string {
  return share(graph, graph.op('Exp', [graph.neg(x)]));
}

/** s (1 - s) for the sigmoid s of x: 1 - s is e^-x s, which does not cancel for s close to 1. */
export function sigmoidSlope(graph: ArithmeticBuilder, x: string): string {
  return productOfShares(graph, graph.op('Exp', [graph.neg(x)]));
}

/** r (1 - r) for r = 1 / (1 + e^z). */
function productOfShares(graph: ArithmeticBuilder, exp: string): string {
  return timesSquare(graph, exp, share(graph, exp));
}

/** exp r^2 for r below 2 / exp: 0, not NaN, if exp overflows. */
function timesSquare(graph: ArithmeticBuilder, exp: string, r: string): string {
  return graph.mul(graph.mul(graph.op('Min', [exp, graph.scalar(LARGEST)]), r), r);
}

/** e = e^2x and q = 2 / (1 + e), from which tanh and its slope are computed. */
function tanhParts(graph: ArithmeticBuilder, x: string): { exp: string; q: string } {
  const exp = graph.op('Exp', [graph.scale(x, 2)]);
  return { exp, q: graph.div(graph.scalar(2), graph.add(exp, graph.scalar(1))) };
}

/** 1 - tanh(x)^2 = q (2 - q) = e q^2. */
export function tanhSlope(graph: ArithmeticBuilder, x: string): string {
  const { exp, q } = tanhParts(graph, x);
  return timesSquare(graph, exp, q);
}

/** 1 - q; if that cancels, x - x^3 / 3 + 2 x^5 / 15, whose next term is 2e-7 of x there. */
function tanh(graph: ArithmeticBuilder, x: string): string {
  const { q } = tanhParts(graph, x);
  const square = graph.mul(x, x);
  const bend = graph.mul(square, graph.sub(graph.scalar(1 / 3), graph.scale(square, 2 / 15)));
  return graph.where(
    graph.op('Less', [square, graph.scalar(1 / 64)]),
    graph.mul(x, graph.sub(graph.scalar(1), bend)),
    graph.sub(graph.scalar(1), q),
  );
}

/** max(x, 0) + log(1 + u) with u = e^-|x|; for small u its series, whose next term is u^3 / 4 of the value. */
function softplus(graph: ArithmeticBuilder, x: string): string {
  const one = graph.scalar(1);
  const u = graph.op('Exp', [graph.neg(graph.op('Abs', [x]))]);
  const bend = graph.mul(u, graph.sub(graph.scalar(1 / 2), graph.scale(u, 1 / 3)));
  const log = graph.where(
    graph.op('Less', [u, graph.scalar(2 ** -7)]),
    graph.mul(u, graph.sub(one, bend)),
    graph.op('Log', [graph.add(u, one)]),
  );
  return graph.add(graph.op('Max', [x, graph.scalar(0)]), log);
}

/** With n = e^x, tanh(softplus(x)) is w / (w + 2) for w = n (n + 2). Beyond 20 it is 1 in float32. */
function mishParts(graph: ArithmeticBuilder, x: string): { n: string; w: string; bound: string } {
  const two = graph.scalar(2);
  const n = graph.op('Exp', [graph.op('Min', [x, graph.scalar(20)])]);
  const w = graph.mul(n, graph.add(n, two));
  return { n, w, bound: graph.add(w, two) };
}

/** d/dx of x tanh(softplus(x)): w / (w + 2) + 4 x n (n + 1) / (w + 2)^2. */
export function mishSlope(graph: ArithmeticBuilder, x: string): string {
  const { n, w, bound } = mishParts(graph, x);
  const gate = graph.div(w, bound);
  const rise = graph.mul(graph.scale(n, 4), graph.add(n, graph.scalar(1)));
  return graph.add(gate, graph.div(graph.div(graph.mul(x, rise), bound), bound));
}

/** `right` x above 0, `left` (e^(factor x) - 1) below. */
export interface EluShape {
  readonly right: number;
  readonly left: number;
  readonly factor: number;
}

/** The common form of ELU, SELU and CELU; meaningless for other operators. */
export function eluShape(node: OnnxNode): EluShape {
  if (node.opType === 'Selu') {
    const alpha = floatAttribute(node, 'alpha', 1.6732632423543772);
    const gamma = floatAttribute(node, 'gamma', 1.0507009873554805);
    return { right: gamma, left: gamma * alpha, factor: 1 };
  }
  const alpha = floatAttribute(node, 'alpha', 1);
  return { right: 1, left: alpha, factor: node.opType === 'Celu' ? 1 / alpha : 1 };
}

const elu: Lowering = (graph, x, node) => {
  const { right, left, factor } = eluShape(node);
  const below = graph.sub(expBelowZero(graph, x, factor), graph.scalar(1));
  // e^x - 1 is at least x, and `below` is 0 from 0 on: the larger of the two is the value, without an addition.
  if (right === 1 && factor === 1 && left > 0 && left <= 1)
    return graph.op('Max', [x, graph.scale(below, left)]);
  return graph.add(graph.scale(graph.op('Max', [x, graph.scalar(0)]), right), graph.scale(below, left));
};

/** Operators of one input that training graphs express in others, by name. */
export const lowerings: ReadonlyMap<string, Lowering> = new Map<string, Lowering>([
  ['Sigmoid', sigmoid],
  ['Softplus', softplus],
  ['Tanh', tanh],
  ['Elu', elu],
  ['Selu', elu],
  ['Celu', elu],
  [
    'Mish',
    (graph, x) => {
      const { w, bound } = mishParts(graph, x);
      return graph.mul(x, graph.div(w, bound));
    },
  ],
  [
    'Swish',
    (graph, x, node) => graph.mul(x, sigmoid(graph, graph.scale(x, floatAttribute(node, 'alpha', 1)))),
  ],
]);
