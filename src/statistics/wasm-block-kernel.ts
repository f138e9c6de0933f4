import type { BlockKernel } from './block-kernel.ts';
import type { VectorBits } from './vector-bits.ts';
import {
  addresses,
  advance,
  countDown,
  defineFunction,
  valueType,
  wasm,
  type Code,
  type Locals,
  type WasmFunction,
} from './wasm-encoding.ts';

/**
 * Columns of a left panel, and of a right one (whole vectors): the kernel holds leftWidth * rightWidth sums in
 * registers.
 */
export type BlockShape = Pick<BlockKernel, 'leftWidth' | 'rightWidth'>;

/** Node reveals the version of its engine. */
const host: { readonly process?: { readonly versions?: Partial<NodeJS.ProcessVersions> } } = globalThis;

/**
 * Rows of a block in 128 bits. V8 11.3, in Node 20, spills from twelve sums on: of the 28e9 float32 multiply-adds per
 * second that the same processor reaches in Node 24, four rows reach 25.3 there and six 19.6 (without relaxed SIMD 18.6
 * and 13.6); in float64 12.6 and 9.8 of 14.2.
 */
const rows = host.process?.versions?.v8?.startsWith('11.3.') === true ? 4 : 6;

/**
 * The fastest shape for each vector width: as many sums as fit in the fifteen registers that V8 allocates, next to a
 * row of the right panel and one value of the left.
 *
 * In 128 bits 6 x 4 takes twelve registers for its sums, and reaches 100 % of the same processor's speed without any
 * loads (Chromium 150, Node 24); 5 x 4, 4 x 4, 3 x 6 and 2 x 8 came after it. In 256 bits 6 x 8 takes twelve, and is
 * 1.8 times as fast (Node 24, panels in near caches); 5 x 8 reached 94 % of it, 3 x 12 90 %, 4 x 8, 2 x 16 and 12 x 4
 * 87 %, 6 x 4 70 %. Whatever makes V8 spill costs a quarter or more: a larger block (8 x 8, 4 x 12, 2 x 20, and 6 x 8
 * in 128 bits), a loop unrolled by hand (Node 20), sums that start at zero and are added to the result only afterwards.
 */
export const blockShapes: Readonly<Record<VectorBits, BlockShape>> = {
  128: { leftWidth: rows, rightWidth: 4 },
  256: { leftWidth: 6, rightWidth: 8 },
};

/** The same for products in float32, of which a vector holds twice as many. */
export const singleBlockShapes: Readonly<Record<VectorBits, BlockShape>> = {
  128: { leftWidth: rows, rightWidth: 8 },
  256: { leftWidth: 6, rightWidth: 16 },
};

/**
 * The hot loop, with every length and location in bytes: products of one left panel `[rows, leftWidth]` with
 * consecutive right panels `[rows, rightWidth]`, added row by row to the sums at `from`. Every sum goes through the
 * same operations wherever it lies, so equal columns have bit-identical sums.
 *
 * @param left address of the left panel
 * @param leftBytes its length, at least one row
 * @param right address of the first of `panels` consecutive right panels
 * @param panels at least 1
 * @param from address of the sums so far; may be `out`
 * @param fromRowBytes from one row of them to the next
 * @param fromPanelBytes from one panel of them to the next; if both are 0, `from` holds rightWidth zeros
 * @param out address of the sums, row-major `[leftWidth, panels * rightWidth]`
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

const VECTOR = 16;

/** Types that kernels compute in: bytes of an element, and its instructions. */
export const elements = {
  float64: { bytes: 8, splat: wasm.v128.load64Splat, lanes: wasm.f64x2, scalar: wasm.f64 },
  float32: { bytes: 4, splat: wasm.v128.load32Splat, lanes: wasm.f32x4, scalar: wasm.f32 },
} as const;
export type BlockElement = keyof typeof elements;

/** Declares the locals that hold a block of sums and the operands. */
export function registersOf(element: BlockElement, { leftWidth, rightWidth }: BlockShape) {
  const vectors = (rightWidth * elements[element].bytes) / VECTOR;
  return {
    ...addresses('at', 'end', 'target'),
    value: valueType.v128,
    rights: [valueType.v128, vectors],
    sums: [valueType.v128, leftWidth * vectors],
  } as const;
}

/**
 * Locals of {@link registerCode}: addresses of the next row of either panel, a scratch one, and {@link registersOf}.
 */
type Registers = { readonly right: number } & Locals<ReturnType<typeof registersOf>>;

/** Code that adds products of panels to sums in registers. */
export function registerCode(
  element: BlockElement,
  { leftWidth, rightWidth }: BlockShape,
  fused: boolean,
  { right, at, end, target, value, rights, sums }: Registers,
) {
  const { local, v128, i32 } = wasm;
  const { bytes, splat, lanes } = elements[element];
  const lefts = Array.from({ length: leftWidth }, (_, r) => r);
  const sumOf = (r: number, v: number): number => sums[r * rights.length + v]!;
  /** sum += value * vector, lane by lane. */
  const multiplyAdd = (sum: number, vector: number): Code => {
    const operands: Code = [local.get(value), local.get(vector)];
    return fused
      ? [operands, local.get(sum), lanes.relaxedMadd, local.set(sum)]
      : [local.get(sum), operands, lanes.mul, lanes.add, local.set(sum)];
  };
  const row: Code = [
    rights.map((vector, v) => [local.get(right), v128.load(v * VECTOR), local.set(vector)]),
    lefts.map((r) => [
      [local.get(at), splat(r * bytes), local.set(value)],
      rights.map((vector, v) => multiplyAdd(sumOf(r, v), vector)),
    ]),
    advance(right, i32.const(rightWidth * bytes)),
    advance(at, i32.const(leftWidth * bytes)),
  ];
  /** Applies `each` to every vector of the sums, whose address in a block in memory is `target` plus an offset. */
  const throughBlock = (block: number, rowBytes: Code, each: (sum: number, offset: number) => Code): Code => [
    [local.get(block), local.set(target)],
    lefts.map((r) => [rights.map((_, v) => each(sumOf(r, v), v * VECTOR)), advance(target, rowBytes)]),
  ];
  return {
    /** Adds the products of all rows up to the one at `end`. */
    rows: wasm.repeatWhile(row, [local.get(at), local.get(end), i32.lessUnsigned]),
    load: (block: number, rowBytes: Code) =>
      throughBlock(block, rowBytes, (sum, offset) => [local.get(target), v128.load(offset), local.set(sum)]),
    store: (block: number, rowBytes: Code) =>
      throughBlock(block, rowBytes, (sum, offset) => [local.get(target), local.get(sum), v128.store(offset)]),
  };
}

/**
 * Encodes a {@link WasmBlockKernel}.
 *
 * @param fused uses `relaxed_madd`, which not every engine knows: check with `WebAssembly.validate`
 */
export function blockFunction(
  name: string,
  element: BlockElement,
  shape: BlockShape,
  fused: boolean,
): WasmFunction {
  const { local, i32 } = wasm;
  const parameters = addresses(
    ...(['left', 'leftBytes', 'right', 'panels', 'from', 'fromRowBytes', 'fromPanelBytes', 'out'] as const),
    'outRowBytes',
  );
  return defineFunction(name, parameters, registersOf(element, shape), (named) => {
    const { left, leftBytes, panels, from, fromRowBytes, fromPanelBytes, out, outRowBytes, at, end } = named;
    const { load, rows, store } = registerCode(element, shape, fused, named);
    const panel: Code = [
      [local.get(left), local.set(at)],
      load(from, local.get(fromRowBytes)),
      rows,
      store(out, local.get(outRowBytes)),
      advance(from, local.get(fromPanelBytes)),
      advance(out, i32.const(shape.rightWidth * elements[element].bytes)),
    ];
    return [
      [local.get(left), local.get(leftBytes), i32.add, local.set(end)],
      wasm.repeatWhile(panel, countDown(panels)),
    ];
  });
}
