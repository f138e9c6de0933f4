import {
  addresses,
  declareLocals,
  encodeModule,
  valueType,
  wasm,
  type Code,
} from '../statistics/wasm-encoding.ts';
import {
  ATANH_SERIES,
  ERFCX_SERIES,
  EXP_SERIES,
  LARGEST_CORRELATION,
  LARGEST_X,
  LN2_HIGH,
  LN2_LOW,
  TO_WHOLE,
} from '../scoring/tail-series.ts';

/**
 * One-sided p-values of correlations, two at a time: the twin of `upperTail(fisherZ(r, root))`, with the same
 * operations in the same order, none of them fused, and so bit-identical results; 1 for NaN. All locations are in
 * bytes.
 *
 * @param scores address of the correlations, overwritten by their p-values
 * @param end address behind the last of them, an even number of them from the first
 * @param roots address of the square root of their degrees of freedom
 * @param rootStep from two of those to the next two; 0 if all correlations use the first two
 */
export type TailKernel = (scores: number, end: number, roots: number, rootStep: number) => void;

/** A mask of the exponent bits. */
const EXPONENT_MASK = fromBits(0x7ff0_0000_0000_0000n);
/** With an integer from 0 to 2047 in its lowest bits it is 2^52 plus that integer. */
const WHOLE = 2 ** 52;

/** The contents of the start of the kernel's memory. */
const constants: number[] = [];

/** Numbers that the kernel reads, from address 0 on. */
export const TAIL_CONSTANTS: readonly number[] = constants;

const { v128: register } = valueType;
const { named, ...types } = declareLocals(addresses('scores', 'end', 'roots', 'rootStep'), {
  ...{ r: register, size: register, quotient: register, power: register, f: register, z: register },
  ...{ x: register, t: register, twice: register, whole: register, rest: register },
  ...{ even1: register, even2: register, odd1: register, odd2: register, next: register, series: register },
});
const { scores, end, roots, rootStep } = named;
const { r, size, quotient, power, f, z, x, t, twice } = named;
const { whole, rest, even1, even2, odd1, odd2, next, series } = named;

const { local, i32, v128, f64x2, f32x4, i64x2 } = wasm;
const get = (register: number): Code => local.get(register);
const set = (register: number, value: Code): Code => [value, local.set(register)];
const add = (a: Code, b: Code): Code => [a, b, f64x2.add];
const sub = (a: Code, b: Code): Code => [a, b, f64x2.sub];
const mul = (a: Code, b: Code): Code => [a, b, f64x2.mul];
const div = (a: Code, b: Code): Code => [a, b, f64x2.div];

/** A number in both elements, from the kernel's memory. */
function constant(value: number): Code {
  let at = constants.findIndex((other) => Object.is(other, value));
  if (at < 0) at = constants.push(value) - 1;
  return [i32.const(0), v128.load64Splat(8 * at)];
}

/** Evaluates a series: sum = sum * by + next. */
function horner(into: number, by: number, coefficients: Float64Array): Code {
  return [
    set(into, constant(coefficients[0]!)),
    ...[...coefficients.subarray(1)].map((coefficient) =>
      set(into, add(mul(get(into), get(by)), constant(coefficient))),
    ),
  ];
}

/** z of the correlation in `r`. */
const fisherZ: Code = [
  set(size, [[constant(LARGEST_CORRELATION), get(r), f64x2.abs], f64x2.min]),
  set(quotient, div(add(constant(1), get(size)), sub(constant(1), get(size)))),
  set(power, [mul(get(quotient), constant(Math.SQRT2)), constant(EXPONENT_MASK), v128.and]),
  set(f, div(get(quotient), get(power))),
  set(f, div(sub(get(f), constant(1)), add(get(f), constant(1)))),
  set(f, [get(size), get(f), [get(power), constant(1), f64x2.equal], v128.bitselect]),
  set(t, mul(get(f), get(f))),
  horner(series, t, ATANH_SERIES),
  // The exponent, as a number.
  set(whole, [[get(power), i32.const(52), i64x2.shiftRightUnsigned], constant(WHOLE), v128.or]),
  set(whole, sub(get(whole), constant(WHOLE + 1023))),
  set(z, add(mul(get(whole), constant(0.5 * Math.LN2)), add(get(f), mul(get(f), mul(get(t), get(series)))))),
  set(z, mul(get(z), [get(roots), v128.load(0)])),
];

/** One step of Clenshaw's recurrence: the first becomes the second. */
function clenshaw(first: number, second: number, coefficient: number): Code {
  return [
    set(next, add(mul(get(twice), get(first)), sub(constant(coefficient), get(second)))),
    set(second, get(first)),
    set(first, get(next)),
  ];
}

const pairs = Array.from({ length: ERFCX_SERIES.length / 2 }, (_, k) => ERFCX_SERIES.length - 1 - 2 * k);

/** erfc of the number in `size`, from 0 to LARGEST_X, to `series`. */
const erfc: Code = [
  set(t, div(sub(get(size), constant(3)), add(get(size), constant(3)))),
  set(twice, sub(mul(mul(constant(4), get(t)), get(t)), constant(2))),
  [even1, even2, odd1, odd2].map((register) => set(register, constant(0))),
  pairs.map((k) => [clenshaw(even1, even2, ERFCX_SERIES[k - 1]!), clenshaw(odd1, odd2, ERFCX_SERIES[k]!)]),
  set(
    even1,
    add(
      sub(get(even1), mul(mul(constant(0.5), get(twice)), get(even2))),
      mul(get(t), sub(get(odd1), get(odd2))),
    ),
  ),
  // x rounded to float32, and its square.
  set(x, [get(size), f32x4.demoteZero, f64x2.promoteLow]),
  set(next, mul(get(x), get(x))),
  set(whole, sub(add(mul(get(next), constant(-Math.LOG2E)), constant(TO_WHOLE)), constant(TO_WHOLE))),
  set(
    rest,
    sub(
      mul(sub(get(x), get(size)), add(get(x), get(size))),
      add(add(get(next), mul(get(whole), constant(LN2_HIGH))), mul(get(whole), constant(LN2_LOW))),
    ),
  ),
  horner(series, rest, EXP_SERIES),
  set(series, div(mul(get(series), get(even1)), add(get(size), constant(0.5)))),
  set(next, [mul(constant(0.5), get(whole)), f64x2.floor]),
  set(series, mul(get(series), powerOfTwo(get(next)))),
  set(series, mul(get(series), powerOfTwo(sub(get(whole), get(next))))),
];

/** 2 to an integer power from -1022 to 0: shifts the exponent to its bits. */
function powerOfTwo(exponent: Code): Code {
  return [add(exponent, constant(WHOLE + 1023)), i32.const(52), i64x2.shiftLeft];
}

const two: Code = [
  set(r, [get(scores), v128.load(0)]),
  fisherZ,
  set(x, div(get(z), constant(Math.SQRT2))),
  set(size, [get(x), constant(LARGEST_X), f64x2.min]),
  erfc,
  // Zero from LARGEST_X on; 2 minus it if z is negative; 1 if there is no correlation.
  set(series, [get(series), [get(x), constant(LARGEST_X), f64x2.less], v128.and]),
  set(series, [
    sub(constant(2), get(series)),
    get(series),
    [get(r), constant(0), f64x2.less],
    v128.bitselect,
  ]),
  [
    get(scores),
    [mul(constant(0.5), get(series)), constant(1), [get(r), get(r), f64x2.equal], v128.bitselect],
    v128.store(0),
  ],
  set(scores, [get(scores), i32.const(16), i32.add]),
  set(roots, [get(roots), get(rootStep), i32.add]),
];

/** A module whose function `run` is a {@link TailKernel} over the memory that it imports. */
export function encodeTailKernel(): Uint8Array<ArrayBuffer> {
  return encodeModule([
    {
      name: 'run',
      ...types,
      body: wasm.repeatWhile(two, [get(scores), get(end), i32.lessUnsigned]),
    },
  ]);
}

function fromBits(bits: bigint): number {
  return new Float64Array(BigUint64Array.of(bits).buffer)[0]!;
}
