import { MagnitudeEdgeError } from '../errors.ts';
import type { ProductKernel } from './products.ts';
import { encodeBlockKernel, PANEL_WIDTH, type BlockKernel } from './wasm-block-kernel.ts';

/** Panels of the right-hand matrix that are reused while they stay in a core's own cache: 512 KiB at 256 rows. */
const BLOCK_PANELS = 64;

const PAGE = 65_536;

/** The widest instructions that this engine knows, compiled once; `undefined` without WebAssembly SIMD. */
let compiled: { readonly module: WebAssembly.Module; readonly fused: boolean } | undefined | 'not yet' =
  'not yet';

/**
 * Products with WebAssembly SIMD, two float64 at a time, fused where the engine has relaxed SIMD (a fused product
 * differs in rounding only). The module has half a kilobyte and is made and compiled on the spot, which every engine
 * allows on every thread for modules of that size.
 *
 * Columns are packed into panels of four in the kernel's own memory, 16 bytes per row and node; its results go through
 * a strip of 4 x 256 into the caller's sums, so that these stay ordinary arrays.
 *
 * @returns undefined where there is no WebAssembly SIMD, or where a content security policy without
 *   `'wasm-unsafe-eval'` forbids it
 * @throws `out-of-memory` where the packed chunk finds no room
 */
export function createWasmProducts(nodes: number, maxRows: number): ProductKernel | undefined {
  if (compiled === 'not yet') compiled = compile(true) ?? compile(false);
  if (compiled === undefined) return undefined;
  const panels = Math.ceil(nodes / PANEL_WIDTH);
  const packed = panels * PANEL_WIDTH * maxRows;
  const stripLength = PANEL_WIDTH * PANEL_WIDTH * Math.min(panels, BLOCK_PANELS);
  const memory = allocate(8 * (2 * packed + stripLength), nodes);
  const { exports } = new WebAssembly.Instance(compiled.module, { env: { memory } });
  const run = exports.run as BlockKernel;
  const packedX = new Float64Array(memory.buffer, 0, packed);
  const packedY = new Float64Array(memory.buffer, 8 * packed, packed);
  const strip = new Float64Array(memory.buffer, 16 * packed, stripLength);

  /** Adds the product of packed X with `right`, tile by tile; only tiles on and above the diagonal where asked. */
  const addProduct = (right: Float64Array, rows: number, sum: Float64Array, upperOnly: boolean): void => {
    const panelBytes = 8 * PANEL_WIDTH * rows;
    for (let block = 0; block < panels; block += BLOCK_PANELS) {
      const end = Math.min(block + BLOCK_PANELS, panels);
      const lastStrip = upperOnly ? end : panels;
      for (let i = 0; i < lastStrip; i++) {
        const first = upperOnly ? Math.max(block, i) : block;
        const width = (end - first) * PANEL_WIDTH;
        const b = right.byteOffset + first * panelBytes;
        run(packedX.byteOffset + i * panelBytes, b, end - first, panelBytes, strip.byteOffset, 8 * width);
        addStrip(strip, width, sum, i * PANEL_WIDTH, first * PANEL_WIDTH, nodes);
      }
    }
  };
  return {
    description: compiled.fused ? 'WebAssembly SIMD with fused products' : 'WebAssembly SIMD',
    addProducts(x, y, rows, sumXY, sumXX) {
      pack(x, rows, nodes, packedX);
      pack(y, rows, nodes, packedY);
      addProduct(packedY, rows, sumXY, false);
      addProduct(packedX, rows, sumXX, true);
    },
  };
}

function compile(fused: boolean): { module: WebAssembly.Module; fused: boolean } | undefined {
  if (typeof WebAssembly === 'undefined') return undefined;
  const bytes = encodeBlockKernel(fused);
  try {
    return WebAssembly.validate(bytes) ? { module: new WebAssembly.Module(bytes), fused } : undefined;
  } catch {
    // A content security policy refuses with a CompileError; there is another kernel for such pages.
    return undefined;
  }
}

function allocate(bytes: number, nodes: number): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial: Math.ceil(bytes / PAGE) });
  } catch (cause) {
    throw new MagnitudeEdgeError(
      'out-of-memory',
      `A chunk of magnitudes of ${nodes} function nodes needs ${bytes} bytes of WebAssembly memory and got none.`,
      { details: { nodes, bytes }, cause },
    );
  }
}

/** `[rows, nodes]` to panels, `[panel, rows, PANEL_WIDTH]`, missing columns zero. */
function pack(source: Float64Array, rows: number, nodes: number, packed: Float64Array): void {
  const whole = nodes - (nodes % PANEL_WIDTH);
  let to = 0;
  for (let first = 0; first < whole; first += PANEL_WIDTH) {
    for (let k = 0, from = first; k < rows; k++, from += nodes, to += PANEL_WIDTH) {
      packed[to] = source[from]!;
      packed[to + 1] = source[from + 1]!;
      packed[to + 2] = source[from + 2]!;
      packed[to + 3] = source[from + 3]!;
    }
  }
  if (whole === nodes) return;
  for (let k = 0, from = whole; k < rows; k++, from += nodes, to += PANEL_WIDTH) {
    for (let c = 0; c < PANEL_WIDTH; c++) packed[to + c] = whole + c < nodes ? source[from + c]! : 0;
  }
}

/** Adds a row-major `[PANEL_WIDTH, width]` strip to `sum` at row i0, column j0; what lies past the edge is dropped. */
function addStrip(
  strip: Float64Array,
  width: number,
  sum: Float64Array,
  i0: number,
  j0: number,
  nodes: number,
): void {
  const rows = Math.min(PANEL_WIDTH, nodes - i0);
  const columns = Math.min(width, nodes - j0);
  for (let r = 0; r < rows; r++) {
    const from = r * width;
    const to = (i0 + r) * nodes + j0;
    for (let c = 0; c < columns; c++) sum[to + c]! += strip[from + c]!;
  }
}
