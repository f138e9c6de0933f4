import { MagnitudeEdgeError } from '../errors.ts';
import type { BlockKernel, BlockMemory } from './block-kernel.ts';
import { encodeBlockKernel, LEFT_WIDTH, RIGHT_WIDTH, type WasmBlockKernel } from './wasm-block-kernel.ts';

const PAGE = 65_536;
const ELEMENT = 8;

/** The widest instructions that this engine knows, compiled once; `undefined` without WebAssembly SIMD. */
let compiled: { readonly module: WebAssembly.Module; readonly fused: boolean } | undefined | 'not yet' =
  'not yet';

/**
 * Blocks with WebAssembly SIMD, two float64 at a time, fused where the engine has relaxed SIMD (a fused product
 * differs in rounding only). The module has half a kilobyte and is made and compiled on the spot, which every engine
 * allows on every thread for modules of that size.
 *
 * @returns undefined where there is no WebAssembly SIMD, or where a content security policy without
 *   `'wasm-unsafe-eval'` forbids it
 */
export function wasmBlockKernel(): BlockKernel | undefined {
  if (compiled === 'not yet') compiled = compile(true) ?? compile(false);
  if (compiled === undefined) return undefined;
  const { module, fused } = compiled;
  return {
    description: fused ? 'WebAssembly SIMD with fused products' : 'WebAssembly SIMD',
    leftWidth: LEFT_WIDTH,
    rightWidth: RIGHT_WIDTH,
    open: (length) => open(module, length),
  };
}

function open(module: WebAssembly.Module, length: number): BlockMemory {
  const memory = allocate(ELEMENT * length);
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const run = exports.run as WasmBlockKernel;
  return {
    values: new Float64Array(memory.buffer),
    addBlocks(left, right, rows, panels, out, stride) {
      const leftBytes = ELEMENT * LEFT_WIDTH * rows;
      run(ELEMENT * left, leftBytes, ELEMENT * right, panels, ELEMENT * out, ELEMENT * stride);
    },
  };
}

function compile(fused: boolean): { module: WebAssembly.Module; fused: boolean } | undefined {
  if (typeof WebAssembly === 'undefined') return undefined;
  const bytes = encodeBlockKernel(fused);
  try {
    return WebAssembly.validate(bytes) ? { module: new WebAssembly.Module(bytes), fused } : undefined;
  } catch {
    // A content security policy refuses with a CompileError; there is another kernel for such pages.
    return undefined;
  }
}

function allocate(bytes: number): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial: Math.ceil(bytes / PAGE) });
  } catch (cause) {
    throw new MagnitudeEdgeError(
      'out-of-memory',
      `Products of magnitudes need ${bytes} bytes of WebAssembly memory and got none.`,
      { details: { bytes }, cause },
    );
  }
}
