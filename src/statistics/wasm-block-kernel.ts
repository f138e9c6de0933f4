import { valueType, wasm, type Code, type WasmFunction } from './wasm-encoding.ts';

/**
 * Sums that the kernel holds in registers: 6 x 4 in twelve vectors of two float64, which with two vectors of the right
 * panel and one value of the left fill the fifteen registers that V8 gives out, and spill none. It then runs at 92 %
 * (Node 20) to 100 % (Chromium 150) of what the same processor does without any loads; 4 x 4, 5 x 4, 3 x 6 and 2 x 8
 * came after it. What makes V8 spill costs a quarter and more: a larger block, a loop unrolled by hand (Node 20), sums
 * that start at zero and are added to the result only afterwards.
 */
export const LEFT_WIDTH = 6;
export const RIGHT_WIDTH = 4;

/**
 * The function that all the time goes into, with every length and place in bytes: products of one left panel
 * `[rows, LEFT_WIDTH]` with consecutive right panels `[rows, RIGHT_WIDTH]`, added row after row to what `from` holds.
 * Every sum goes through the same operations wherever it lies, so that equal columns have equal sums to the bit.
 *
 * @param left address of the left panel
 * @param leftBytes its length, at least one row
 * @param right address of the first of `panels` right panels that lie behind each other
 * @param panels at least 1
 * @param from address of the sums so far; may be `out`
 * @param fromRowBytes from one row of them to the next
 * @param fromPanelBytes from one panel of them to the next; with 0 for both, RIGHT_WIDTH zeros are sums so far
 * @param out address of the sums, row-major `[LEFT_WIDTH, panels * RIGHT_WIDTH]`
 * @param outRowBytes from one row of the sums to the next
 */
export type WasmBlockKernel = (
  left: number,
  leftBytes: number,
  right: number,
  panels: number,
  from: number,
  fromRowBytes: number,
  fromPanelBytes: number,
  out: number,
  outRowBytes: number,
) => void;

const ELEMENT = 8;
const VECTOR = 16;
const LEFT_ROW = LEFT_WIDTH * ELEMENT;
const RIGHT_ROW = RIGHT_WIDTH * ELEMENT;

/** Locals, numbered as the format wants them: parameters, then cursors, then vector registers. */
const [left, leftBytes, right, panels, from, fromRowBytes, fromPanelBytes, out, outRowBytes] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8,
] as const;
const [at, end, target, value, right0, right1, sum00] = [9, 10, 11, 12, 13, 14, 15] as const;
const rights = [right0, right1];
const elements = Array.from({ length: LEFT_WIDTH }, (_, r) => r);
const sumOf = (r: number, v: number): number => sum00 + r * rights.length + v;

/** @param fused uses `f64x2.relaxed_madd`, which not every engine knows: ask `WebAssembly.validate` */
export function blockFunction(fused: boolean): WasmFunction {
  const { i32, v128 } = valueType;
  const sums = new Array<typeof v128>(LEFT_WIDTH * rights.length).fill(v128);
  return {
    name: 'addBlocks',
    parameters: new Array<typeof i32>(9).fill(i32),
    locals: [i32, i32, i32, v128, v128, v128, ...sums],
    body: body(fused),
  };
}

function body(fused: boolean): Code {
  const { local, i32, v128 } = wasm;
  const advance = (cursor: number, bytes: Code): Code => [
    [local.get(cursor), bytes, i32.add],
    local.set(cursor),
  ];
  const row: Code = [
    rights.map((vector, v) => [local.get(right), v128.load(v * VECTOR), local.set(vector)]),
    elements.map((r) => [
      [local.get(at), v128.load64Splat(r * ELEMENT), local.set(value)],
      rights.map((vector, v) => multiplyAdd(sumOf(r, v), vector, fused)),
    ]),
    advance(right, i32.const(RIGHT_ROW)),
    advance(at, i32.const(LEFT_ROW)),
  ];
  /** Does something with each vector of a block of sums. */
  const throughBlock = (
    block: number,
    rowBytes: number,
    each: (sum: number, offset: number) => Code,
  ): Code => [
    [local.get(block), local.set(target)],
    elements.map((r) => [
      rights.map((_, v) => each(sumOf(r, v), v * VECTOR)),
      advance(target, local.get(rowBytes)),
    ]),
  ];
  const panel: Code = [
    [local.get(left), local.set(at)],
    throughBlock(from, fromRowBytes, (sum, offset) => [
      [local.get(target), v128.load(offset)],
      local.set(sum),
    ]),
    wasm.repeatWhile(row, [local.get(at), local.get(end), i32.lessUnsigned]),
    throughBlock(out, outRowBytes, (sum, offset) => [
      [local.get(target), local.get(sum)],
      v128.store(offset),
    ]),
    advance(from, local.get(fromPanelBytes)),
    advance(out, i32.const(RIGHT_ROW)),
  ];
  return [
    [local.get(left), local.get(leftBytes), i32.add, local.set(end)],
    wasm.repeatWhile(panel, [local.get(panels), i32.const(1), i32.sub, local.tee(panels)]),
  ];
}

/** sum += value * vector, two elements at a time. */
function multiplyAdd(sum: number, vector: number, fused: boolean): Code {
  const { local, f64x2 } = wasm;
  const operands: Code = [local.get(value), local.get(vector)];
  return fused
    ? [operands, local.get(sum), f64x2.relaxedMadd, local.set(sum)]
    : [local.get(sum), operands, f64x2.mul, f64x2.add, local.set(sum)];
}
