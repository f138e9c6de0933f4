import type { BlockKernel, BlockMemory, BlockSizes } from './block-kernel.ts';
import { PIECE_ROWS } from './row-buffer.ts';
import { vectorBits, type VectorBits } from './vector-bits.ts';
import { blockFunction, blockShapes, type BlockShape, type WasmBlockKernel } from './wasm-block-kernel.ts';
import { encodeModule } from './wasm-encoding.ts';
import { compileWidest, describeModule, instantiate, type CompiledModule } from './wasm-module.ts';
import { packingFunction, packingName, type WasmPacking } from './wasm-packing.ts';

const ELEMENT = 8;

let compiled: CompiledModule | undefined | 'not yet' = 'not yet';

/**
 * Blocks with WebAssembly SIMD, in the shape for this engine's vectors, fused if it has relaxed SIMD (a fused product
 * differs in rounding only).
 *
 * @returns undefined if {@link compileWidest} returns it
 */
export function wasmBlockKernel(): BlockKernel | undefined {
  const bits = vectorBits();
  if (compiled === 'not yet') compiled = compileWidest((fused) => encodeBlocks(bits, fused));
  return compiled && blockKernelOf(compiled, bits);
}

/** @param module of {@link encodeBlocks}, for the same `bits` */
export function blockKernelOf(module: CompiledModule, bits: VectorBits): BlockKernel {
  return {
    description: describeModule(module, bits),
    ...blockShapes[bits],
    chunkRows: 1,
    open: (sizes) => open(module, blockShapes[bits], sizes),
  };
}

/** The module of all functions that work on blocks. */
export function encodeBlocks(bits: VectorBits, fused: boolean): Uint8Array<ArrayBuffer> {
  const shape = blockShapes[bits];
  const packing = [...new Set([shape.leftWidth, shape.rightWidth])].flatMap((width) => [
    packingFunction('float32', width),
    packingFunction('float64', width),
  ]);
  return encodeModule([blockFunction('addBlocks', 'float64', shape, fused), ...packing]);
}

/** Rows that are packed together: few enough to stay in a near cache meanwhile. */
const STAGED_ROWS = 32;

function open(
  module: CompiledModule,
  { leftWidth, rightWidth }: BlockShape,
  { left: leftColumns, right: rightColumns, sums: length, nodes }: BlockSizes,
): BlockMemory {
  // Most columns that packing reads beyond the last one.
  const beyond = Math.max(leftWidth, rightWidth) - 1;
  const [stagedLength, pivotsLength] = [STAGED_ROWS * nodes + beyond, nodes + beyond];
  // In this order: sums, panels, some rows to be packed, the pivots of their columns, zeros that sums start from.
  const places = { left: ELEMENT * length, right: ELEMENT * (length + leftColumns * PIECE_ROWS) };
  const staged = places.right + ELEMENT * rightColumns * PIECE_ROWS;
  const pivotsAt = staged + ELEMENT * stagedLength;
  const zeros = pivotsAt + ELEMENT * pivotsLength;
  const { exports, buffer } = instantiate(module, zeros + ELEMENT * rightWidth);
  const addBlocks = exports.addBlocks as WasmBlockKernel;
  const singles = new Float32Array(buffer, staged, stagedLength);
  const doubles = new Float64Array(buffer, staged, stagedLength);
  const pivots = new Float64Array(buffer, pivotsAt, pivotsLength);
  /** Rows that have been packed */
  let rows = 0;
  return {
    sums: new Float64Array(buffer, 0, length),
    addBlocks(left, right, panels, { at, stride, overwrite }) {
      const [out, rowBytes, panelBytes] = [ELEMENT * at, ELEMENT * stride, ELEMENT * rightWidth];
      const leftBytes = ELEMENT * leftWidth * rows;
      const [leftAt, rightAt] = [places.left + ELEMENT * left * rows, places.right + ELEMENT * right * rows];
      if (overwrite) addBlocks(leftAt, leftBytes, rightAt, panels, zeros, 0, 0, out, rowBytes);
      else addBlocks(leftAt, leftBytes, rightAt, panels, out, rowBytes, panelBytes, out, rowBytes);
    },
    pack(side, { values, nodes: columns, pivot }, [first, end]) {
      const width = side === 'left' ? leftWidth : rightWidth;
      const single = values instanceof Float32Array;
      const pack = exports[packingName(single ? 'float32' : 'float64', width)] as WasmPacking;
      const bytes = values.BYTES_PER_ELEMENT;
      rows = values.length / columns;
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
          pivotsAt + ELEMENT * first,
          places[side] + ELEMENT * row * width,
          panels,
          ELEMENT * rows * width,
        );
      }
    },
  };
}
