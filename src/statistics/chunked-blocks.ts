import type { BlockKernel, BlockMemory, BlockSizes, Side, SumsPlace } from './block-kernel.ts';
import { PIECE_ROWS } from './row-buffer.ts';
import { vectorBits, type VectorBits } from './vector-bits.ts';
import { singleBlockShapes, type BlockShape } from './wasm-block-kernel.ts';
import {
  chunkFunction,
  singlePackingFunction,
  workBytes,
  type WasmChunkKernel,
  type WasmSinglePacking,
} from './wasm-chunks.ts';
import { encodeModule } from './wasm-encoding.ts';
import { compileWidest, describeModule, instantiate, type CompiledModule } from './wasm-module.ts';
import { packedTypes, type PackedType } from './wasm-packing.ts';

/**
 * Rows whose products are summed in float32, which errs by at most (rows + 2) 2^-24 of the sum of all |products|
 * (docs/method.md, "Sums in float32"). A divisor of PIECE_ROWS.
 */
export const CHUNK_ROWS = 64;

let compiled: CompiledModule | undefined | 'not yet' = 'not yet';

/**
 * WebAssembly SIMD blocks: chunks of {@link CHUNK_ROWS} rows are summed in float32, and the sums of chunks in float64.
 *
 * @returns undefined if {@link compileWidest} returns it
 */
export function chunkedBlockKernel(): BlockKernel | undefined {
  const bits = vectorBits();
  if (compiled === 'not yet') compiled = compileWidest((fused) => encodeChunkedBlocks(bits, fused));
  return compiled && chunkedKernelOf(compiled, bits);
}

/** @param module of {@link encodeChunkedBlocks}, for the same `bits` */
export function chunkedKernelOf(
  module: CompiledModule,
  bits: VectorBits,
  chunkRows = CHUNK_ROWS,
): BlockKernel {
  return {
    description: describeModule(module, bits),
    ...singleBlockShapes[bits],
    chunkRows,
    open: (sizes) => open(module, singleBlockShapes[bits], chunkRows, sizes),
  };
}

/** The module of all functions that work on chunks. */
export function encodeChunkedBlocks(bits: VectorBits, fused: boolean): Uint8Array<ArrayBuffer> {
  const shape = singleBlockShapes[bits];
  const types = Object.keys(packedTypes) as PackedType[];
  return encodeModule([
    chunkFunction('addChunk', shape, fused),
    ...types.flatMap((type) => [
      singlePackingFunction(`left ${type}`, type, shape.leftWidth),
      singlePackingFunction(`right ${type}`, type, shape.rightWidth),
    ]),
  ]);
}

/** Row numbers of a chunk, or of the available part of it. */
export type RowRange = readonly [first: number, end: number];

/** Splits a range of rows at the multiples of `chunkRows`. */
export function chunksOf([first, end]: RowRange, chunkRows: number): RowRange[] {
  const chunks: RowRange[] = [];
  for (let row = first, next; row < end; row = next) {
    next = Math.min(row - (row % chunkRows) + chunkRows, end);
    chunks.push([row, next]);
  }
  return chunks;
}

/** Bounds between which deviations need no scaling: neither they nor their products come near the limits of float32. */
const [SMALL, LARGE] = [2 ** -50, 2 ** 50];

/** Divisors of the deviations of each column of a chunk; undefined if none were divided. */
type Scales = Float64Array | undefined;

/**
 * Divisors of the deviations of each column of a chunk, powers of two: the largest quotient lies between 1 and 2,
 * unless the deviation is beyond 2^500, where products overflow in float64 as well. Undefined if no column needs one.
 */
function scalesOf(largest: Float64Array): Scales {
  const isPlain = (value: number): boolean => value === 0 || (value >= SMALL && value <= LARGE);
  if (largest.every(isPlain)) return undefined;
  return largest.map((value) =>
    isPlain(value) ? 1 : 2 ** Math.max(-500, Math.min(Math.floor(Math.log2(value)), 500)),
  );
}

const [SINGLE, DOUBLE] = [4, 8];

/** Layout of the memory, in bytes. */
function layOut(shape: BlockShape, chunkRows: number, sizes: BlockSizes) {
  // Most columns that packing reads beyond the last one.
  const beyond = Math.max(shape.leftWidth, shape.rightWidth) - 1;
  const columnsRead = sizes.nodes + beyond;
  let bytes = 0;
  const take = (length: number, size: number): number => {
    const at = bytes;
    bytes = Math.ceil((at + length * size) / 64) * 64;
    return at;
  };
  const places = {
    sums: take(sizes.sums, DOUBLE),
    left: take(sizes.left * PIECE_ROWS, SINGLE),
    right: take(sizes.right * PIECE_ROWS, SINGLE),
    work: take(workBytes(shape), 1),
    unscaled: take(shape.leftWidth * sizes.right, DOUBLE),
    staged: take(chunkRows * sizes.nodes + beyond, DOUBLE),
    pivots: take(columnsRead, DOUBLE),
    factors: take(columnsRead, DOUBLE),
    largest: take(columnsRead, DOUBLE),
  };
  return { places, bytes, columnsRead };
}

function open(module: CompiledModule, shape: BlockShape, chunkRows: number, sizes: BlockSizes): BlockMemory {
  const { leftWidth, rightWidth } = shape;
  const { places, bytes, columnsRead } = layOut(shape, chunkRows, sizes);
  const { exports, buffer } = instantiate(module, bytes);
  const addChunk = exports.addChunk as WasmChunkKernel;
  const doubles = new Float64Array(buffer);
  const staged = {
    float32: new Float32Array(buffer, places.staged),
    float64: new Float64Array(buffer, places.staged),
  };
  const [pivots, factors, largest] = ([places.pivots, places.factors, places.largest] as const).map(
    (at) => new Float64Array(buffer, at, columnsRead),
  ) as [Float64Array, Float64Array, Float64Array];
  factors.fill(1);
  let chunks: RowRange[] = [];
  const scales: Record<Side, Scales[]> = { left: [], right: [] };

  /** Adds `unscaled`, times the scales of its rows and columns: powers of two, so only the addition rounds. */
  const addScaled = (rows: Scales, columns: Scales, width: number, { at, stride }: SumsPlace): void => {
    let from = places.unscaled / DOUBLE;
    for (let row = 0; row < leftWidth; row++) {
      const scale = rows?.[row] ?? 1;
      for (let column = 0; column < width; column++) {
        doubles[at + row * stride + column]! += doubles[from++]! * (scale * (columns?.[column] ?? 1));
      }
    }
  };

  return {
    sums: doubles.subarray(0, sizes.sums),
    addBlocks(left, right, panels, out) {
      const { at, stride } = out;
      const width = panels * rightWidth;
      if (out.overwrite) {
        for (let row = 0, to = at; row < leftWidth; row++, to += stride) doubles.fill(0, to, to + width);
      }
      let [leftAt, rightAt] = [places.left, places.right];
      for (let c = 0; c < chunks.length; c++) {
        const [first, end] = chunks[c]!;
        const columnBytes = SINGLE * (end - first);
        const [leftPanel, leftBytes] = [leftAt + left * columnBytes, leftWidth * columnBytes];
        const rightPanels = rightAt + right * columnBytes;
        const [rows, columns] = [scales.left[c], scales.right[c]];
        if (rows === undefined && columns === undefined) {
          addChunk(leftPanel, leftBytes, rightPanels, panels, places.work, DOUBLE * at, DOUBLE * stride);
        } else {
          const from = places.unscaled / DOUBLE;
          doubles.fill(0, from, from + leftWidth * width);
          addChunk(leftPanel, leftBytes, rightPanels, panels, places.work, places.unscaled, DOUBLE * width);
          addScaled(rows?.subarray(left), columns?.subarray(right), width, out);
        }
        leftAt += sizes.left * columnBytes;
        rightAt += sizes.right * columnBytes;
      }
    },
    pack(side, { values, nodes, row, pivot }, [first, end]) {
      chunks = chunksOf([row, row + values.length / nodes], chunkRows);
      const type = values instanceof Float32Array ? 'float32' : 'float64';
      if (pivot === undefined) pivots.fill(0);
      else pivots.set(pivot);
      const rowBytes = packedTypes[type] * nodes;
      const [from, own] = [places.staged + packedTypes[type] * first, places.pivots + DOUBLE * first];
      const columns = end - first;
      const panels = Math.ceil(columns / (side === 'left' ? leftWidth : rightWidth));
      const pack = exports[`${side} ${type}`] as WasmSinglePacking;
      let to = places[side];
      scales[side] = chunks.map(([begin, next]) => {
        staged[type].set(values.subarray((begin - row) * nodes, (next - row) * nodes));
        const rows = next - begin;
        const packWith = (): void => {
          pack(from, rowBytes, rows, own, places.factors, places.largest, to, panels);
        };
        packWith();
        const scales = scalesOf(largest.subarray(0, columns));
        if (scales !== undefined) {
          for (let column = 0; column < columns; column++) factors[column] = 1 / scales[column]!;
          packWith();
          factors.fill(1);
        }
        to += sizes[side] * SINGLE * rows;
        return scales;
      });
    },
  };
}
