import { encodeModule, valueType, wasm, type Code } from './wasm-encoding.ts';

/** Float32 that the kernel takes at a time. */
export const FINITE_STEP = 16;

/** Where its answer is, FINITE_STEP float32, and where the values begin, in bytes. */
export const [FINITE_ANSWER, FINITE_VALUES] = [0, 64] as const;

/**
 * Adds up `v * 0` of values up to an address, a multiple of {@link FINITE_STEP} of them and at least one: what it
 * leaves in the answer is zero throughout if and only if all of them are finite.
 */
export type FiniteKernel = (end: number) => void;

const VECTOR = 16;
const [end, at, zero, sum0] = [0, 1, 2, 3] as const;
const vectors = [0, 1, 2, 3];

/** The module of a {@link FiniteKernel}, `run`. */
export function encodeFiniteKernel(): Uint8Array<ArrayBuffer> {
  const { i32, v128 } = valueType;
  const { local } = wasm;
  const step: Code = [
    vectors.map((v) => [
      [local.get(sum0 + v), local.get(at), wasm.v128.load(v * VECTOR), local.get(zero)],
      [wasm.f32x4.mul, wasm.f32x4.add, local.set(sum0 + v)],
    ]),
    [local.get(at), wasm.i32.const(vectors.length * VECTOR), wasm.i32.add, local.set(at)],
  ];
  const body: Code = [
    [wasm.i32.const(FINITE_VALUES), local.set(at)],
    wasm.repeatWhile(step, [local.get(at), local.get(end), wasm.i32.lessUnsigned]),
    vectors.map((v) => [[wasm.i32.const(FINITE_ANSWER), local.get(sum0 + v)], wasm.v128.store(v * VECTOR)]),
  ];
  // Locals are zero at first: the sums, and the vector that nobody writes to.
  return encodeModule([
    { name: 'run', parameters: [i32], locals: [i32, v128, v128, v128, v128, v128], body },
  ]);
}
