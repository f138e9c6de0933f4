import { valueType, wasm, type Code, type WasmFunction } from './wasm-encoding.ts';

/**
 * Lays columns of row-major rows out in panels `[panel, rows, width]`, as deviations from pivots. Whole panels are
 * laid out: where the columns end within one, what follows them in the rows and the pivots comes along. All lengths and
 * places are in bytes.
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

/** Types of the rows that are packed, and the bytes of an element. */
export const packedTypes = { float32: 4, float64: 8 } as const;
export type PackedType = keyof typeof packedTypes;

const ELEMENT = 8;
const VECTOR = 16;

/** Name of the function that packs rows of a type into panels of a width. */
export function packingName(type: PackedType, width: number): string {
  return `pack ${type} ${width}`;
}

const [from, rowBytes, rows, pivots, to, panels, panelBytes] = [0, 1, 2, 3, 4, 5, 6] as const;
const [at, row, target, firstPivot] = [7, 8, 9, 10] as const;

/** A {@link WasmPacking}. @param width columns of a panel, an even number */
export function packingFunction(type: PackedType, width: number): WasmFunction {
  const { i32, v128 } = valueType;
  const pairs = Array.from({ length: width / 2 }, (_, v) => v);
  return {
    name: packingName(type, width),
    parameters: [i32, i32, i32, i32, i32, i32, i32],
    locals: [i32, i32, i32, ...pairs.map(() => v128)],
    body: body(type, width, pairs),
  };
}

function body(type: PackedType, width: number, pairs: readonly number[]): Code {
  const { local, i32, v128, f64x2 } = wasm;
  const advance = (cursor: number, bytes: Code): Code => [
    [local.get(cursor), bytes, i32.add],
    local.set(cursor),
  ];
  const load = (v: number): Code =>
    type === 'float32'
      ? [v128.load64Zero(v * 2 * packedTypes.float32), f64x2.promoteLow]
      : v128.load(v * VECTOR);
  const panel: Code = [
    pairs.map((v) => [local.get(pivots), v128.load(v * VECTOR), local.set(firstPivot + v)]),
    [local.get(from), local.set(at)],
    [local.get(to), local.set(target)],
    [local.get(rows), local.set(row)],
    wasm.repeatWhile(
      [
        pairs.map((v) => [
          [local.get(target), local.get(at), load(v), local.get(firstPivot + v), f64x2.sub],
          v128.store(v * VECTOR),
        ]),
        advance(target, i32.const(width * ELEMENT)),
        advance(at, local.get(rowBytes)),
      ],
      [local.get(row), i32.const(1), i32.sub, local.tee(row)],
    ),
    advance(pivots, i32.const(width * ELEMENT)),
    advance(from, i32.const(width * packedTypes[type])),
    advance(to, local.get(panelBytes)),
  ];
  return wasm.repeatWhile(panel, [local.get(panels), i32.const(1), i32.sub, local.tee(panels)]);
}
