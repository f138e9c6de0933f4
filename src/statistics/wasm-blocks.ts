import type { BlockKernel, BlockMemory } from './block-kernel.ts';
import { blockFunction, LEFT_WIDTH, RIGHT_WIDTH, type WasmBlockKernel } from './wasm-block-kernel.ts';
import { encodeModule } from './wasm-encoding.ts';
import { compileWidest, instantiate, type CompiledModule } from './wasm-module.ts';
import { packingFunction, packingName, type WasmPacking } from './wasm-packing.ts';

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
  if (compiled === 'not yet') compiled = compileWidest(encodeBlocks);
  if (compiled === undefined) return undefined;
  const module = compiled;
  return {
    description: module.fused ? 'WebAssembly SIMD with fused products' : 'WebAssembly SIMD',
    leftWidth: LEFT_WIDTH,
    rightWidth: RIGHT_WIDTH,
    open: (length, nodes) => open(module, length, nodes),
  };
}

/** The module of all that works on blocks. */
export function encodeBlocks(fused: boolean): Uint8Array<ArrayBuffer> {
  const packing = [LEFT_WIDTH, RIGHT_WIDTH].flatMap((width) => [
    packingFunction('float32', width),
    packingFunction('float64', width),
  ]);
  return encodeModule([blockFunction(fused), ...packing]);
}

/** Rows that are packed together: few enough to be in a near cache when they are. */
const STAGED_ROWS = 32;

/** Columns that packing reads beyond the last one, at most. */
const BEYOND = Math.max(LEFT_WIDTH, RIGHT_WIDTH) - 1;

function open(module: CompiledModule, length: number, nodes: number): BlockMemory {
  // Behind what is asked for: some rows to be packed, the pivots of their columns, and zeros that sums begin with.
  const [stagedLength, pivotsLength] = [STAGED_ROWS * nodes + BEYOND, nodes + BEYOND];
  const total = length + stagedLength + pivotsLength + RIGHT_WIDTH;
  const { exports, buffer } = instantiate(module, ELEMENT * total);
  const addBlocks = exports.addBlocks as WasmBlockKernel;
  const staged = ELEMENT * length;
  const singles = new Float32Array(buffer, staged, stagedLength);
  const doubles = new Float64Array(buffer, staged, stagedLength);
  const pivots = new Float64Array(buffer, staged + ELEMENT * stagedLength, pivotsLength);
  const zeros = ELEMENT * (total - RIGHT_WIDTH);
  return {
    values: new Float64Array(buffer),
    addBlocks(left, right, rows, panels, out, stride, fresh) {
      const [at, rowBytes, panelBytes] = [ELEMENT * out, ELEMENT * stride, ELEMENT * RIGHT_WIDTH];
      const leftBytes = ELEMENT * LEFT_WIDTH * rows;
      if (fresh) addBlocks(ELEMENT * left, leftBytes, ELEMENT * right, panels, zeros, 0, 0, at, rowBytes);
      else
        addBlocks(ELEMENT * left, leftBytes, ELEMENT * right, panels, at, rowBytes, panelBytes, at, rowBytes);
    },
    pack(values, columns, [first, end], pivot, width, to) {
      const single = values instanceof Float32Array;
      const pack = exports[packingName(single ? 'float32' : 'float64', width)] as WasmPacking;
      const bytes = values.BYTES_PER_ELEMENT;
      const rows = values.length / columns;
      const panels = Math.ceil((end - first) / width);
      if (pivot === undefined) pivots.fill(0);
      else pivots.set(pivot);
      for (let row = 0; row < rows; row += STAGED_ROWS) {
        const some = Math.min(STAGED_ROWS, rows - row);
        (single ? singles : doubles).set(values.subarray(row * columns, (row + some) * columns));
        pack(
          staged + bytes * first,
          bytes * columns,
          some,
          pivots.byteOffset + ELEMENT * first,
          ELEMENT * (to + row * width),
          panels,
          ELEMENT * rows * width,
        );
      }
    },
  };
}
