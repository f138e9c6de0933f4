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
 * What float32 sums of chunks of rows need beside products: deviations that are scaled and rounded on the way in, and sums
 * that are added in float64 on the way out. Lengths and places are in bytes.
 */

const VECTOR = 16;
const [SINGLE, DOUBLE] = [4, 8];
const { local, i32, v128, f32x4, f64x2 } = wasm;

/**
 * Adds the products of one left panel with consecutive right panels, summed in float32, to float64 sums.
 *
 * @param left address of the left panel, `[rows, leftWidth]` in float32
 * @param leftBytes its length, at least one row
 * @param right address of the first of `panels` right panels `[rows, rightWidth]` that lie behind each other
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

/** What a {@link WasmChunkKernel} works in: zeros that sums begin with, and the sums of a chunk. */
export function workBytes({ leftWidth, rightWidth }: BlockShape): number {
  return 2 * SINGLE * leftWidth * rightWidth;
}

/**
 * A {@link WasmChunkKernel}. Sums go through memory on their way to float64: the halves of vectors are read without a
 * shuffle, and the loop over rows is the one that V8 makes 256-bit vectors of.
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
 * Leaves the largest |deviation from the pivot| of each column, group of columns by group.
 *
 * @param from address of the first column in the first row
 * @param rowBytes from one row to the next
 * @param rows at least 1
 * @param pivots address of a float64 for each column
 * @param groups at least 1
 * @param to address of a float64 for each column
 */
export type WasmLargest = (
  from: number,
  rowBytes: number,
  rows: number,
  pivots: number,
  groups: number,
  to: number,
) => void;

/** A {@link WasmLargest}. @param width columns of a group, an even number */
export function largestFunction(name: string, type: PackedType, width: number): WasmFunction {
  const parameters = addresses('from', 'rowBytes', 'rows', 'pivots', 'groups', 'to');
  const locals = { ...addresses('at', 'row'), largest: [valueType.v128, width / 2] } as const;
  return defineFunction(name, parameters, locals, (named) => {
    const { from, rowBytes, rows, pivots, groups, to, at, row, largest } = named;
    const size = (v: number): Code => [deviation(type, at, pivots, v), f64x2.abs];
    const group: Code = [
      [local.get(from), local.set(at)],
      largest.map((most, v) => [size(v), local.set(most)]),
      [local.get(rows), local.set(row)],
      wasm.repeatWhile(
        [
          largest.map((most, v) => [size(v), local.get(most), f64x2.max, local.set(most)]),
          advance(at, local.get(rowBytes)),
        ],
        countDown(row),
      ),
      largest.map((most, v) => [local.get(to), local.get(most), v128.store(v * VECTOR)]),
      advance(from, i32.const(width * packedTypes[type])),
      advance(pivots, i32.const(width * DOUBLE)),
      advance(to, i32.const(width * DOUBLE)),
    ];
    return wasm.repeatWhile(group, countDown(groups));
  });
}

/**
 * Lays columns out in float32 panels `[panel, rows, width]`, one behind the other: deviations from pivots, times a factor,
 * rounded.
 *
 * @param from, rowBytes, rows, pivots as of {@link WasmLargest}
 * @param factors address of a float64 for each column
 * @param to address of the first panel
 * @param panels at least 1
 */
export type WasmSinglePacking = (
  from: number,
  rowBytes: number,
  rows: number,
  pivots: number,
  factors: number,
  to: number,
  panels: number,
) => void;

/** A {@link WasmSinglePacking}. @param width columns of a panel, an even number */
export function singlePackingFunction(name: string, type: PackedType, width: number): WasmFunction {
  const parameters = addresses('from', 'rowBytes', 'rows', 'pivots', 'factors', 'to', 'panels');
  return defineFunction(name, parameters, addresses('at', 'row'), (named) => {
    const { from, rowBytes, rows, pivots, factors, to, panels, at, row } = named;
    const packRow: Code = [
      Array.from({ length: width / 2 }, (_, v) => [
        [local.get(to), deviation(type, at, pivots, v)],
        [local.get(factors), v128.load(v * VECTOR), f64x2.mul, f32x4.demoteZero],
        v128.store64Low(2 * v * SINGLE),
      ]),
      advance(to, i32.const(width * SINGLE)),
      advance(at, local.get(rowBytes)),
    ];
    const panel: Code = [
      [local.get(from), local.set(at)],
      [local.get(rows), local.set(row)],
      wasm.repeatWhile(packRow, countDown(row)),
      advance(from, i32.const(width * packedTypes[type])),
      advance(pivots, i32.const(width * DOUBLE)),
      advance(factors, i32.const(width * DOUBLE)),
    ];
    return wasm.repeatWhile(panel, countDown(panels));
  });
}

/** Deviations from the pivots of the v-th two columns. */
function deviation(type: PackedType, at: number, pivots: number, v: number): Code {
  const load =
    type === 'float32' ? [v128.load64Zero(2 * v * SINGLE), f64x2.promoteLow] : v128.load(v * VECTOR);
  return [local.get(at), load, local.get(pivots), v128.load(v * VECTOR), f64x2.sub];
}
