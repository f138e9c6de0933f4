import { elements, type BlockElement } from './wasm-block-kernel.ts';
import { valueType, wasm, type Code, type WasmFunction } from './wasm-encoding.ts';

/**
 * Lays some columns of a row-major matrix out in panels behind each other, `[panel, rows, width]`, or for `transposed` some
 * rows, `[panel, columns, width]`. Whole panels are laid out: where the columns (or rows) end within one, what follows them in
 * memory comes along. All lengths and places are in bytes.
 *
 * @param from address of the first element
 * @param rowBytes from one row to the next
 * @param length rows of a panel, at least 1
 * @param to address of the first panel
 * @param panels at least 1
 */
export type WasmPanels = (from: number, rowBytes: number, length: number, to: number, panels: number) => void;

const [from, rowBytes, length, to, panels] = [0, 1, 2, 3, 4] as const;
const [row, at0] = [5, 6] as const;
const { local, i32 } = wasm;

const advance = (cursor: number, by: Code): Code => [[local.get(cursor), by, i32.add], local.set(cursor)];
const countDown = (counter: number): Code => [local.get(counter), i32.const(1), i32.sub, local.tee(counter)];

/** A {@link WasmPanels} of columns. */
export function columnPanels(name: string, element: BlockElement, width: number): WasmFunction {
  const bytes = width * elements[element].bytes;
  const vectors = Array.from({ length: Math.floor(bytes / 16) }, (_, v) => 16 * v);
  const halves = bytes % 16 === 0 ? [] : [bytes - 8];
  const copyRow: Code = [
    vectors.map((v) => [local.get(to), local.get(at0), wasm.v128.load(v), wasm.v128.store(v)]),
    halves.map((h) => [local.get(to), local.get(at0), wasm.f64.load(h), wasm.f64.store(h)]),
    advance(to, i32.const(bytes)),
    advance(at0, local.get(rowBytes)),
  ];
  return panelFunction(name, 1, [
    [local.get(from), local.set(at0)],
    [local.get(length), local.set(row)],
    wasm.repeatWhile(copyRow, countDown(row)),
    advance(from, i32.const(bytes)),
  ]);
}

/** A {@link WasmPanels} of rows. */
export function rowPanels(name: string, element: BlockElement, width: number): WasmFunction {
  const { bytes, scalar } = elements[element];
  const rows = Array.from({ length: width }, (_, r) => r);
  const copyColumn: Code = [
    rows.map((r) => [local.get(to), local.get(at0 + r), scalar.load(0), scalar.store(r * bytes)]),
    rows.map((r) => advance(at0 + r, i32.const(bytes))),
    advance(to, i32.const(width * bytes)),
  ];
  return panelFunction(name, width, [
    rows.map((r) => [[local.get(from), local.set(at0 + r)], advance(from, local.get(rowBytes))]),
    [local.get(length), local.set(row)],
    wasm.repeatWhile(copyColumn, countDown(row)),
  ]);
}

function panelFunction(name: string, cursors: number, panel: Code): WasmFunction {
  return {
    name,
    parameters: new Array<typeof valueType.i32>(5).fill(valueType.i32),
    locals: new Array<typeof valueType.i32>(1 + cursors).fill(valueType.i32),
    body: wasm.repeatWhile(panel, countDown(panels)),
  };
}
