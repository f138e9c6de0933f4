import { elements, type BlockElement } from './wasm-block-kernel.ts';
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
 * Packs some columns of a row-major matrix into consecutive panels `[panel, rows, width]` ({@link columnPanels}), or some
 * rows into `[panel, columns, width]` ({@link rowPanels}). Whole panels are packed: if the columns (or rows) end within one, it includes
 * what follows them in memory. All lengths and locations are in bytes.
 *
 * @param from address of the first element
 * @param rowBytes from one row to the next
 * @param length rows of a panel, or its columns for `rowPanels`; at least 1
 * @param to address of the first panel
 * @param panels at least 1
 */
export type WasmPanels = (from: number, rowBytes: number, length: number, to: number, panels: number) => void;

const { local, i32 } = wasm;
const parameters = addresses('from', 'rowBytes', 'length', 'to', 'panels');

/** Encodes a {@link WasmPanels} of columns. */
export function columnPanels(name: string, element: BlockElement, width: number): WasmFunction {
  const bytes = width * elements[element].bytes;
  const vectors = Array.from({ length: Math.floor(bytes / 16) }, (_, v) => 16 * v);
  const halves = bytes % 16 === 0 ? [] : [bytes - 8];
  const locals = addresses('row', 'at');
  return defineFunction(name, parameters, locals, ({ from, rowBytes, length, to, panels, row, at }) => {
    const copyRow: Code = [
      vectors.map((v) => [local.get(to), local.get(at), wasm.v128.load(v), wasm.v128.store(v)]),
      halves.map((h) => [local.get(to), local.get(at), wasm.f64.load(h), wasm.f64.store(h)]),
      advance(to, i32.const(bytes)),
      advance(at, local.get(rowBytes)),
    ];
    const panel: Code = [
      [local.get(from), local.set(at)],
      [local.get(length), local.set(row)],
      wasm.repeatWhile(copyRow, countDown(row)),
      advance(from, i32.const(bytes)),
    ];
    return wasm.repeatWhile(panel, countDown(panels));
  });
}

/** Encodes a {@link WasmPanels} of rows. */
export function rowPanels(name: string, element: BlockElement, width: number): WasmFunction {
  const { bytes, scalar } = elements[element];
  const locals = { ...addresses('column'), rows: [valueType.i32, width] } as const;
  return defineFunction(name, parameters, locals, ({ from, rowBytes, length, to, panels, column, rows }) => {
    const copyColumn: Code = [
      rows.map((row, r) => [local.get(to), local.get(row), scalar.load(0), scalar.store(r * bytes)]),
      rows.map((row) => advance(row, i32.const(bytes))),
      advance(to, i32.const(width * bytes)),
    ];
    const panel: Code = [
      rows.map((row) => [[local.get(from), local.set(row)], advance(from, local.get(rowBytes))]),
      [local.get(length), local.set(column)],
      wasm.repeatWhile(copyColumn, countDown(column)),
    ];
    return wasm.repeatWhile(panel, countDown(panels));
  });
}
