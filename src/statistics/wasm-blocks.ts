import type { BlockKernel, BlockMemory } from './block-kernel.ts';
import { encodeBlockKernel, LEFT_WIDTH, RIGHT_WIDTH, type WasmBlockKernel } from './wasm-block-kernel.ts';
import { compileWidest, instantiate, type CompiledModule } from './wasm-module.ts';

const ELEMENT = 8;

/** Compiled once. */
let compiled: CompiledModule | undefined | 'not yet' = 'not yet';

/**
 * Blocks with WebAssembly SIMD, two float64 at a time, fused where the engine has relaxed SIMD (a fused product
 * differs in rounding only).
 *
 * @returns undefined as {@link compileWidest}
 */
export function wasmBlockKernel(): BlockKernel | undefined {
  if (compiled === 'not yet') compiled = compileWidest(encodeBlockKernel);
  if (compiled === undefined) return undefined;
  const module = compiled;
  return {
    description: module.fused ? 'WebAssembly SIMD with fused products' : 'WebAssembly SIMD',
    leftWidth: LEFT_WIDTH,
    rightWidth: RIGHT_WIDTH,
    open: (length) => open(module, length),
  };
}

function open(module: CompiledModule, length: number): BlockMemory {
  const { run, buffer } = instantiate(module, ELEMENT * length);
  const addBlocks = run as WasmBlockKernel;
  return {
    values: new Float64Array(buffer),
    addBlocks(left, right, rows, panels, out, stride) {
      const leftBytes = ELEMENT * LEFT_WIDTH * rows;
      addBlocks(ELEMENT * left, leftBytes, ELEMENT * right, panels, ELEMENT * out, ELEMENT * stride);
    },
  };
}
