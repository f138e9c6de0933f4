import { registerCode, registersOf, type BlockShape } from './wasm-block-kernel.ts';
import {
  addresses,
  advance,
  countDown,
  defineFunction,
  valueType,
  wasm,
  type Code,
  type WasmFunction,
} from './wasm-encoding.ts';
import { packedTypes, type PackedType } from './wasm-packing.ts';

/**
 * Float32 sums of chunks of rows also need deviations that are scaled and rounded on the way in, and sums that are
 * added in float64 on the way out. Lengths and locations are in bytes.
 */

const VECTOR = 16;
const [SINGLE, DOUBLE] = [4, 8];
const { local, i32, v128, f32x4, f64x2 } = wasm;

/**
 * Adds the products of one left panel with consecutive right panels, summed in float32, to float64 sums.
 *
 * @param left address of the left panel, `[rows, leftWidth]` in float32
 * @param leftBytes its length, at least one row
 * @param right address of the first of `panels` consecutive right panels `[rows, rightWidth]`
 * @param panels at least 1
 * @param work address of {@link workBytes}, the first half of them zero
 * @param out address of the sums, row-major `[leftWidth, panels * rightWidth]`
 * @param outRowBytes from one row of the sums to the next
 */
export type WasmChunkKernel = (
  left: number,
  leftBytes: number,
  right: number,
  panels: number,
  work: number,
  out: number,
  outRowBytes: number,
) => void;

/** Scratch memory of a {@link WasmChunkKernel}: zeros that sums start from, and the sums of a chunk. */
export function workBytes({ leftWidth, rightWidth }: BlockShape): number {
  return 2 * SINGLE * leftWidth * rightWidth;
}

/**
 * Encodes a {@link WasmChunkKernel}. Sums pass through memory on their way to float64: this reads halves of vectors
 * without a shuffle, and keeps the loop over rows in the form that V8 turns into 256-bit vectors.
 *
 * @param fused uses `relaxed_madd`
 */
export function chunkFunction(name: string, shape: BlockShape, fused: boolean): WasmFunction {
  const { leftWidth, rightWidth } = shape;
  const parameters = addresses('left', 'leftBytes', 'right', 'panels', 'work', 'out', 'outRowBytes');
  const locals = { ...registersOf('float32', shape), ...addresses('row') } as const;
  return defineFunction(name, parameters, locals, (named) => {
    const { left, leftBytes, panels, work, out, outRowBytes, at, end, target, row } = named;
    const { load, rows, store } = registerCode('float32', shape, fused, named);
    const rowBytes = i32.const(SINGLE * rightWidth);
    const addRow: Code = [
      Array.from({ length: rightWidth / 2 }, (_, v): Code => {
        const place = v * VECTOR;
        return [
          [local.get(target), local.get(target), v128.load(place)],
          [local.get(at), v128.load64Zero(place / 2), f64x2.promoteLow],
          [f64x2.add, v128.store(place)],
        ];
      }),
      advance(at, rowBytes),
      advance(target, local.get(outRowBytes)),
    ];
    const panel: Code = [
      [local.get(left), local.set(at)],
      load(work, rowBytes),
      rows,
      [local.get(work), i32.const(workBytes(shape) / 2), i32.add, local.set(at)],
      store(at, rowBytes),
      [local.get(out), local.set(target)],
      [i32.const(leftWidth), local.set(row)],
      wasm.repeatWhile(addRow, countDown(row)),
      advance(out, i32.const(DOUBLE * rightWidth)),
    ];
    return [
      [local.get(left), local.get(leftBytes), i32.add, local.set(end)],
      wasm.repeatWhile(panel, countDown(panels)),
    ];
  });
}

/**
 * Packs columns into consecutive float32 panels `[panel, rows, width]`: deviations from pivots, times a factor,
 * rounded. Writes the largest |deviation| times factor of each column, unrounded, to `largest`.
 *
 * @param from address of the first column in the first row
 * @param rowBytes from one row to the next
 * @param rows at least 1
 * @param pivots address of a float64 for each column, as are the next two
 * @param factors
 * @param largest
 * @param to address of the first panel
 * @param panels at least 1
 */
export type WasmSinglePacking = (
  from: number,
  rowBytes: number,
  rows: number,
  pivots: number,
  factors: number,
  largest: number,
  to: number,
  panels: number,
) => void;

/** Encodes a {@link WasmSinglePacking}. @param width columns of a panel, an even number */
export function singlePackingFunction(name: string, type: PackedType, width: number): WasmFunction {
  const parameters = addresses(
    ...(['from', 'rowBytes', 'rows', 'pivots', 'factors', 'largest', 'to', 'panels'] as const),
  );
  const locals = {
    ...addresses('at', 'row'),
    value: valueType.v128,
    most: [valueType.v128, width / 2],
  } as const;
  return defineFunction(name, parameters, locals, (named) => {
    const { from, rowBytes, rows, pivots, factors, largest, to, panels, at, row, value, most } = named;
    const load = (v: number): Code =>
      type === 'float32' ? [v128.load64Zero(2 * v * SINGLE), f64x2.promoteLow] : v128.load(v * VECTOR);
    const packRow: Code = [
      most.map((so, v) => [
        [local.get(at), load(v), local.get(pivots), v128.load(v * VECTOR), f64x2.sub],
        [local.get(factors), v128.load(v * VECTOR), f64x2.mul, local.set(value)],
        [local.get(value), f64x2.abs, local.get(so), f64x2.pseudoMax, local.set(so)],
        [local.get(to), local.get(value), f32x4.demoteZero, v128.store64Low(2 * v * SINGLE)],
      ]),
      advance(to, i32.const(width * SINGLE)),
      advance(at, local.get(rowBytes)),
    ];
    const panel: Code = [
      [local.get(from), local.set(at)],
      [local.get(rows), local.set(row)],
      // Zeros
      most.map((so) => [local.get(so), local.get(so), v128.xor, local.set(so)]),
      wasm.repeatWhile(packRow, countDown(row)),
      most.map((so, v) => [local.get(largest), local.get(so), v128.store(v * VECTOR)]),
      advance(from, i32.const(width * packedTypes[type])),
      [pivots, factors, largest].map((each) => advance(each, i32.const(width * DOUBLE))),
    ];
    return wasm.repeatWhile(panel, countDown(panels));
  });
}
