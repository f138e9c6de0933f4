import {
  addresses,
  advance,
  defineFunction,
  encodeModule,
  valueType,
  wasm,
  type Code,
} from '../statistics/wasm-encoding.ts';

/** Sources that pass through the whole substitution together, in registers. */
export const SOURCES_TOGETHER = 8;

/**
 * Partial correlations of some sources with one target: forward substitution W = R^-1 S_xx[S, :], which reduces the
 * variances of the sources and their covariances with the target, and the quotient, clipped to [-1, 1]. NaN unless the
 * remaining variance exceeds a share of the original plus a floor. All lengths and locations are in bytes.
 *
 * @param members address of `size` addresses (32 bits): the row of each member of S in a panel of covariances
 * @param size |S|
 * @param factor address of R and w_y, row by row: k elements left of the diagonal, the reciprocal of the diagonal, and
 *   element k of w_y; then vy and the limits: share, floor, -1, 1
 * @param scratch address of `[size, SOURCES_TOGETHER]`
 * @param variances address of var_x of the sources, NaN for constant sources
 * @param covariances address of S_xy of the sources and the target, overwritten by the scores
 * @param bytes of the sources' float64, a multiple of SOURCES_TOGETHER of them
 */
export type SubstitutionKernel = (
  members: number,
  size: number,
  factor: number,
  scratch: number,
  variances: number,
  covariances: number,
  bytes: number,
) => void;

/** Numbers that follow a factor: vy, and the limits share, floor, -1, 1. */
export const LIMITS_LENGTH = 5;

const ELEMENT = 8;
const VECTOR = 16;
const ROW = SOURCES_TOGETHER * ELEMENT;
const vectors = Array.from({ length: ROW / VECTOR }, (_, v) => v);

/** A module whose function `run` is a {@link SubstitutionKernel} over the memory that it imports. */
export function encodeSubstitutionKernel(fused: boolean): Uint8Array<ArrayBuffer> {
  const parameters = addresses(
    ...(['members', 'size', 'factor', 'scratch', 'variances', 'covariances', 'bytes'] as const),
  );
  const locals = {
    ...addresses('at', 'member', 'lastMember', 'element', 'row', 'lastRow'),
    value: valueType.v128,
    w: [valueType.v128, vectors.length],
    variance: [valueType.v128, vectors.length],
    covariance: [valueType.v128, vectors.length],
  } as const;
  const run = defineFunction('run', parameters, locals, (named) => {
    const { members, size, factor, scratch, variances, covariances, bytes } = named;
    const { at, member, lastMember, element, row, lastRow, value, w, variance, covariance } = named;
    const { local, i32, v128, f64x2 } = wasm;
    const place = (base: number): Code => [local.get(base), local.get(at), i32.add];
    const loadValue = (offset: number): Code => [
      local.get(element),
      v128.load64Splat(offset),
      local.set(value),
    ];
    /** into -= left * right */
    const subtractProduct = (into: number, left: Code, right: Code): Code =>
      fused
        ? [left, right, local.get(into), f64x2.relaxedNmadd, local.set(into)]
        : [local.get(into), left, right, f64x2.mul, f64x2.sub, local.set(into)];

    /** w -= R[k, m] w[m], for one earlier row m */
    const eliminate: Code = [
      loadValue(0),
      vectors.map((v) => subtractProduct(w[v]!, local.get(value), [local.get(row), v128.load(v * VECTOR)])),
      advance(element, i32.const(ELEMENT)),
      advance(row, i32.const(ROW)),
    ];
    const oneMember: Code = [
      [[local.get(member), i32.load], local.get(at), i32.add, local.set(row)],
      vectors.map((v) => [local.get(row), v128.load(v * VECTOR), local.set(w[v]!)]),
      [local.get(scratch), local.set(row)],
      wasm.when(
        [local.get(row), local.get(lastRow), i32.lessUnsigned],
        wasm.repeatWhile(eliminate, [local.get(row), local.get(lastRow), i32.lessUnsigned]),
      ),
      loadValue(0),
      vectors.map((v) => [
        [local.get(w[v]!), local.get(value), f64x2.mul, local.set(w[v]!)],
        [local.get(lastRow), local.get(w[v]!), v128.store(v * VECTOR)],
        subtractProduct(variance[v]!, local.get(w[v]!), local.get(w[v]!)),
      ]),
      loadValue(ELEMENT),
      vectors.map((v) => subtractProduct(covariance[v]!, local.get(w[v]!), local.get(value))),
      advance(element, i32.const(2 * ELEMENT)),
      advance(lastRow, i32.const(ROW)),
      advance(member, i32.const(4)),
    ];
    const load = (base: number, registers: readonly number[]): Code =>
      registers.map((register, v) => [place(base), v128.load(v * VECTOR), local.set(register)]);
    const [residualVarianceY, share, floor, least, most] = [0, 1, 2, 3, 4].map((k): Code => [
      local.get(element),
      v128.load64Splat(k * ELEMENT),
    ]) as [Code, Code, Code, Code, Code];
    const leastLeft = (v: number): Code => [
      [place(variances), v128.load(v * VECTOR), share, f64x2.mul],
      [floor, f64x2.add],
    ];
    /**
     * covariance / sqrt(variance vy), clipped to [-1, 1]; all bits set, which is a NaN, if the variance is too small
     */
    const quotient = (v: number): Code => [
      [
        local.get(covariance[v]!),
        local.get(variance[v]!),
        residualVarianceY,
        f64x2.mul,
        f64x2.sqrt,
        f64x2.div,
      ],
      [least, f64x2.max, most, f64x2.min],
      [local.get(variance[v]!), leastLeft(v), f64x2.greater, v128.not, v128.or],
    ];
    const someSources: Code = [
      load(variances, variance),
      load(covariances, covariance),
      [local.get(members), local.set(member)],
      [local.get(factor), local.set(element)],
      [local.get(scratch), local.set(lastRow)],
      wasm.when(
        [local.get(member), local.get(lastMember), i32.lessUnsigned],
        wasm.repeatWhile(oneMember, [local.get(member), local.get(lastMember), i32.lessUnsigned]),
      ),
      vectors.map((v) => [place(covariances), quotient(v), v128.store(v * VECTOR)]),
      advance(at, i32.const(ROW)),
    ];
    return [
      // Four bytes per member.
      [local.get(size), local.get(size), i32.add, local.tee(lastMember), local.get(lastMember), i32.add],
      [local.get(members), i32.add, local.set(lastMember)],
      wasm.repeatWhile(someSources, [local.get(at), local.get(bytes), i32.lessUnsigned]),
    ];
  });
  return encodeModule([run]);
}
