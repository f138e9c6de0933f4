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

/**
 * Packs columns of row-major rows into panels `[panel, rows, width]`, as deviations from pivots. Whole panels are
 * packed: if the columns end within one, it includes what follows them in the rows and the pivots. All lengths and
 * locations are in bytes.
 *
 * @param from address of the first column in the first row
 * @param rowBytes from one row to the next
 * @param rows at least 1
 * @param pivots address of a float64 for each column, panel by panel
 * @param to address of the first row of the first panel
 * @param panels at least 1
 * @param panelBytes from one panel to the next, which may have further rows
 */
export type WasmPacking = (
  from: number,
  rowBytes: number,
  rows: number,
  pivots: number,
  to: number,
  panels: number,
  panelBytes: number,
) => void;

/** Element types of the packed rows, and their bytes. */
export const packedTypes = { float32: 4, float64: 8 } as const;
export type PackedType = keyof typeof packedTypes;

const ELEMENT = 8;
const VECTOR = 16;

/** Name of the function that packs rows of a type into panels of a width. */
export function packingName(type: PackedType, width: number): string {
  return `pack ${type} ${width}`;
}

/** Encodes a {@link WasmPacking}. @param width columns of a panel, an even number */
export function packingFunction(type: PackedType, width: number): WasmFunction {
  const { local, i32, v128, f64x2 } = wasm;
  const parameters = addresses('from', 'rowBytes', 'rows', 'pivots', 'to', 'panels', 'panelBytes');
  const locals = { ...addresses('at', 'row', 'target'), pivotPairs: [valueType.v128, width / 2] } as const;
  const load = (v: number): Code =>
    type === 'float32'
      ? [v128.load64Zero(v * 2 * packedTypes.float32), f64x2.promoteLow]
      : v128.load(v * VECTOR);
  return defineFunction(packingName(type, width), parameters, locals, (named) => {
    const { from, rowBytes, rows, pivots, to, panels, panelBytes, at, row, target, pivotPairs } = named;
    const packRow: Code = [
      pivotPairs.map((pivot, v) => [
        [local.get(target), local.get(at), load(v), local.get(pivot), f64x2.sub],
        v128.store(v * VECTOR),
      ]),
      advance(target, i32.const(width * ELEMENT)),
      advance(at, local.get(rowBytes)),
    ];
    const panel: Code = [
      pivotPairs.map((pivot, v) => [local.get(pivots), v128.load(v * VECTOR), local.set(pivot)]),
      [local.get(from), local.set(at)],
      [local.get(to), local.set(target)],
      [local.get(rows), local.set(row)],
      wasm.repeatWhile(packRow, countDown(row)),
      advance(pivots, i32.const(width * ELEMENT)),
      advance(from, i32.const(width * packedTypes[type])),
      advance(to, local.get(panelBytes)),
    ];
    return wasm.repeatWhile(panel, countDown(panels));
  });
}
