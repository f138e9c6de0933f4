import { compileWidest, instantiate, type CompiledModule } from '../statistics/wasm-module.ts';
import { fisherZ, upperTail } from '../scoring/significance.ts';
import { encodeTailKernel, TAIL_CONSTANTS, type TailKernel } from './wasm-tail-kernel.ts';

/** Correlations per call of the kernel. */
const TOGETHER = 1 << 12;

const ELEMENT = 8;
const VECTOR = 16;

/** The kernel, and where in its memory correlations and the roots of their degrees of freedom go. */
interface TailMemory {
  readonly run: TailKernel;
  readonly scores: Float64Array;
  readonly roots: Float64Array;
}

let compiled: CompiledModule | undefined | 'not yet' = 'not yet';
let memory: TailMemory | undefined;

/**
 * One-sided p-values of correlations (method.md, "Significance"): `upperTail(fisherZ(r, root))` of each, bit for bit,
 * by WebAssembly SIMD if available; 1 if the correlation is NaN or its root is zero.
 *
 * @param roots square root of the degrees of freedom of each, 0 if there are fewer than two; one number if all have the
 *   same
 * @param p receives the p-values of correlations `first .. end`
 */
export function upperTailPValues(
  scores: Float64Array | Float32Array,
  roots: Float64Array | number,
  p: Float64Array,
  first: number,
  end: number,
): void {
  const wide = openTails();
  for (let start = first; start < end; start += TOGETHER) {
    const stop = Math.min(start + TOGETHER, end);
    if (wide === undefined) tailsOneByOne(scores, roots, p, start, stop);
    else {
      wide.scores.set(scores.subarray(start, stop));
      const each = typeof roots !== 'number';
      if (each) wide.roots.set(roots.subarray(start, stop));
      else wide.roots.fill(roots, 0, 2);
      const at = wide.scores.byteOffset;
      // Values beyond the last are computed too, and dropped.
      wide.run(at, at + ELEMENT * (stop - start), wide.roots.byteOffset, each ? VECTOR : 0);
      p.set(wide.scores.subarray(0, stop - start), start);
      if (each || roots === 0) withoutFreedom(roots, p, start, stop);
    }
  }
}

function openTails(): TailMemory | undefined {
  if (compiled === 'not yet') compiled = compileWidest(encodeTailKernel);
  if (compiled === undefined) return undefined;
  if (memory === undefined) {
    // The constants come first.
    const from = ELEMENT * (TAIL_CONSTANTS.length + (TAIL_CONSTANTS.length % 2));
    const { exports, buffer } = instantiate(compiled, from + 2 * ELEMENT * TOGETHER);
    new Float64Array(buffer).set(TAIL_CONSTANTS);
    memory = {
      run: exports.run as TailKernel,
      scores: new Float64Array(buffer, from, TOGETHER),
      roots: new Float64Array(buffer, from + ELEMENT * TOGETHER, TOGETHER),
    };
  }
  return memory;
}

/** In plain JavaScript, for pages without WebAssembly. */
function tailsOneByOne(
  scores: Float64Array | Float32Array,
  roots: Float64Array | number,
  p: Float64Array,
  start: number,
  end: number,
): void {
  for (let row = start; row < end; row++) {
    const score = scores[row]!;
    const root = typeof roots === 'number' ? roots : roots[row]!;
    p[row] = score !== score || root === 0 ? 1 : upperTail(fisherZ(score, root));
  }
}

function withoutFreedom(roots: Float64Array | number, p: Float64Array, start: number, end: number): void {
  for (let row = start; row < end; row++) {
    if ((typeof roots === 'number' ? roots : roots[row]) === 0) p[row] = 1;
  }
}
