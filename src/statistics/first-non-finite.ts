import {
  encodeFiniteKernel,
  FINITE_ANSWER,
  FINITE_STEP,
  FINITE_VALUES,
  type FiniteKernel,
} from './wasm-finite-kernel.ts';
import { compileWidest, instantiate, type CompiledModule } from './wasm-module.ts';

/** Values that are handed to the kernel together: few enough for a core's nearest cache. */
const TOGETHER = 1 << 13;

/** Fewer values are not worth the way to the kernel. */
const FEW = 1 << 10;

/** The kernel, and where in its memory its answer and its values are. */
interface FiniteMemory {
  readonly run: FiniteKernel;
  readonly answer: Float32Array;
  readonly values: Float32Array;
}

let memory: FiniteMemory | undefined | 'not yet' = 'not yet';

/**
 * Index of the first NaN or infinity, or -1. Adds up `v * 0`, which is zero for finite values only: one pass without
 * branches, of float32 by WebAssembly SIMD where there is any, and a second one only where something was found.
 */
export function firstNonFinite(values: Float32Array | Float64Array): number {
  const wide = values instanceof Float32Array && values.length >= FEW ? openMemory() : undefined;
  const finite = wide === undefined ? allFinite(values) : allFiniteWide(values as Float32Array, wide);
  return finite ? -1 : values.findIndex((value) => !Number.isFinite(value));
}

function openMemory(): FiniteMemory | undefined {
  if (memory === 'not yet') {
    const compiled = compileWidest(encodeFiniteKernel);
    memory = compiled && instantiateMemory(compiled);
  }
  return memory;
}

function instantiateMemory(compiled: CompiledModule): FiniteMemory {
  const { exports, buffer } = instantiate(compiled, FINITE_VALUES + 4 * TOGETHER);
  return {
    run: exports.run as FiniteKernel,
    answer: new Float32Array(buffer, FINITE_ANSWER, FINITE_STEP),
    values: new Float32Array(buffer, FINITE_VALUES, TOGETHER),
  };
}

function allFiniteWide(values: Float32Array, { run, answer, values: own }: FiniteMemory): boolean {
  for (let start = 0; start < values.length; start += TOGETHER) {
    const some = values.subarray(start, start + TOGETHER);
    own.set(some);
    const whole = Math.ceil(some.length / FINITE_STEP) * FINITE_STEP;
    own.fill(0, some.length, whole);
    run(FINITE_VALUES + 4 * whole);
    if (!answer.every((sum) => sum === 0)) return false;
  }
  return true;
}

/** In four sums that need not wait for each other. */
function allFinite(values: Float32Array | Float64Array): boolean {
  let [r0, r1, r2, r3] = [0, 0, 0, 0];
  const count = values.length;
  const fours = count - (count % 4);
  // By index: `for of` over typed arrays takes several times as long in today's engines.
  for (let k = 0; k < fours; k += 4) {
    r0 += values[k]! * 0;
    r1 += values[k + 1]! * 0;
    r2 += values[k + 2]! * 0;
    r3 += values[k + 3]! * 0;
  }
  for (let k = fours; k < count; k++) r0 += values[k]! * 0;
  return r0 + r1 + r2 + r3 === 0;
}
