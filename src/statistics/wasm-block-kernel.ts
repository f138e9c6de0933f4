import { encodeModule, valueType, wasm, type Code } from './wasm-encoding.ts';

/**
 * Columns of a packed panel, `[rows, PANEL_WIDTH]` in float64. Blocks of 4 x 4 sums fill eight vector registers and
 * leave V8 enough of its fifteen for operands: 3 x 6 came second, every larger one spilled, and a loop unrolled by
 * hand ran at half the speed (bench/cpu-products.mjs measures the whole).
 */
export const PANEL_WIDTH = 4;

/**
 * The function that all the time goes into: products of one panel `a` with consecutive panels `b`, summed over the
 * rows in order from zero. Every sum goes through the same operations wherever it lies, so that equal columns have
 * equal sums to the bit.
 *
 * @param a byte address of one panel
 * @param b byte address of the first of `panels` panels that lie behind each other
 * @param panels at least 1
 * @param panelBytes bytes of a panel, at least one row
 * @param out byte address of the result, row-major `[PANEL_WIDTH, panels * PANEL_WIDTH]`, overwritten
 * @param outRowBytes bytes from one row of the result to the next
 */
export type BlockKernel = (
  a: number,
  b: number,
  panels: number,
  panelBytes: number,
  out: number,
  outRowBytes: number,
) => void;

const ELEMENT = 8;
const VECTOR = 16;
const ROW = PANEL_WIDTH * ELEMENT;

/** Locals, numbered as the format wants them: parameters, then cursors, then vector registers. */
const [a, b, panels, panelBytes, out, outRowBytes, at, end, target, left, right0, right1, sum00] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
] as const;
const rights = [right0, right1];
const elements = Array.from({ length: PANEL_WIDTH }, (_, r) => r);
const sumOf = (r: number, v: number): number => sum00 + r * rights.length + v;

/**
 * A module whose function `run` is a {@link BlockKernel} over the memory that it imports.
 *
 * @param fused uses `f64x2.relaxed_madd`, which not every engine knows: ask `WebAssembly.validate`
 */
export function encodeBlockKernel(fused: boolean): Uint8Array<ArrayBuffer> {
  const { i32, v128 } = valueType;
  const sums = new Array<typeof v128>(PANEL_WIDTH * rights.length).fill(v128);
  return encodeModule(
    [i32, i32, i32, i32, i32, i32],
    [i32, i32, i32, v128, v128, v128, ...sums],
    body(fused),
  );
}

function body(fused: boolean): Code {
  const { local, i32, v128 } = wasm;
  const advance = (cursor: number, bytes: Code): Code => [
    [local.get(cursor), bytes, i32.add],
    local.set(cursor),
  ];
  const row: Code = [
    rights.map((right, v) => [local.get(b), v128.load(v * VECTOR), local.set(right)]),
    elements.map((r) => [
      [local.get(at), v128.load64Splat(r * ELEMENT), local.set(left)],
      rights.map((right, v) => multiplyAdd(sumOf(r, v), right, fused)),
    ]),
    advance(b, i32.const(ROW)),
    advance(at, i32.const(ROW)),
  ];
  const panel: Code = [
    [local.get(a), local.set(at)],
    elements.map((r) => rights.map((_, v) => [v128.zero, local.set(sumOf(r, v))])),
    repeatRows(row),
    [local.get(out), local.set(target)],
    elements.map((r) => [
      rights.map((_, v) => [local.get(target), local.get(sumOf(r, v)), v128.store(v * VECTOR)]),
      advance(target, local.get(outRowBytes)),
    ]),
    advance(out, i32.const(ROW)),
  ];
  return [
    [local.get(a), local.get(panelBytes), i32.add, local.set(end)],
    wasm.repeatWhile(panel, [local.get(panels), i32.const(1), i32.sub, local.tee(panels)]),
  ];
}

function repeatRows(row: Code): Code {
  return wasm.repeatWhile(row, [wasm.local.get(at), wasm.local.get(end), wasm.i32.lessUnsigned]);
}

/** sum += left * right, two elements at a time. */
function multiplyAdd(sum: number, right: number, fused: boolean): Code {
  const { local, f64x2 } = wasm;
  const operands: Code = [local.get(left), local.get(right)];
  return fused
    ? [operands, local.get(sum), f64x2.relaxedMadd, local.set(sum)]
    : [local.get(sum), operands, f64x2.mul, f64x2.add, local.set(sum)];
}
