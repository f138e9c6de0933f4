import { vectorBits } from './vector-bits.ts';
import {
  blockFunction,
  blockShapes,
  singleBlockShapes,
  type BlockElement,
  type BlockShape,
  type WasmBlockKernel,
} from './wasm-block-kernel.ts';
import { encodeModule } from './wasm-encoding.ts';
import { compileWidest, instantiate, type CompiledModule } from './wasm-module.ts';

/** A place in memory: a typed array over it, and its address in bytes. */
export interface Span<T extends Float32Array | Float64Array> {
  readonly values: T;
  readonly address: number;
}
export type Singles = Span<Float32Array>;
export type Doubles = Span<Float64Array>;

/** Products of panels in one precision, see {@link WasmBlockKernel}. */
export interface Blocks extends BlockShape {
  /** Bytes of an element */
  readonly bytes: number;
  /**
   * Adds the products of a left panel `[rows, leftWidth]` with right panels `[panels, rows, rightWidth]` behind each other to
   * `[leftWidth, panels * rightWidth]`. All places are addresses in bytes.
   *
   * @param panels at least 1
   * @param outRowBytes from one row of the sums to the next
   * @param fresh there are no sums yet: what stands there is not read
   */
  add(
    left: number,
    right: number,
    rows: number,
    panels: number,
    out: number,
    outRowBytes: number,
    fresh: boolean,
  ): void;
}

/**
 * Memory in which products of both precisions are formed. What is taken lies one behind the other and is good until
 * {@link MixedBlocks.clear}.
 */
export interface MixedBlocks {
  /** What it runs on, for diagnostics */
  readonly description: string;
  readonly single: Blocks;
  readonly double: Blocks;
  /** Makes room for spans of so many bytes in all, and forgets those there are. @throws `out-of-memory` */
  clear(bytes: number): void;
  /** Values are what they happen to be. @throws RangeError beyond what was made room for */
  singles(length: number): Singles;
  doubles(length: number): Doubles;
}

/** Zeros that sums begin with, at the beginning of every memory. */
const ZEROS_BYTES = 256;
const ALIGNMENT = 16;

/** What spans of so many elements take, in bytes. */
export function spanBytes(...spans: readonly { readonly length: number; readonly bytes: 4 | 8 }[]): number {
  return spans.reduce((sum, { length, bytes }) => sum + aligned(length * bytes), 0);
}

let compiled: CompiledModule | undefined | 'not yet' = 'not yet';

/** With WebAssembly SIMD, fused where the engine has relaxed SIMD; in plain JavaScript where there is none. */
export function mixedBlocks(): MixedBlocks {
  const bits = vectorBits();
  const shapes = { float32: singleBlockShapes[bits], float64: blockShapes[bits] };
  if (compiled === 'not yet') {
    compiled = compileWidest((fused) =>
      encodeModule([
        blockFunction('addSingles', 'float32', shapes.float32, fused),
        blockFunction('addDoubles', 'float64', shapes.float64, fused),
      ]),
    );
  }
  const module = compiled;
  if (module === undefined) return new Memory('plain JavaScript', shapes, scalarKernels);
  const products = module.fused ? ' with fused products' : '';
  return new Memory(`WebAssembly SIMD${products}`, shapes, (bytes) => {
    const { exports, buffer } = instantiate(module, bytes);
    const { addSingles, addDoubles } = exports as Record<string, WasmBlockKernel>;
    return { buffer, float32: addSingles!, float64: addDoubles! };
  });
}

/** {@link mixedBlocks} in plain JavaScript: what WebAssembly is checked against. */
export function scalarMixedBlocks(): MixedBlocks {
  return new Memory(
    'plain JavaScript',
    { float32: singleBlockShapes[128], float64: blockShapes[128] },
    scalarKernels,
  );
}

type Kernels = { readonly buffer: ArrayBuffer } & Readonly<Record<BlockElement, WasmBlockKernel>>;

class Memory implements MixedBlocks {
  readonly description: string;
  readonly single: Blocks;
  readonly double: Blocks;
  readonly #open: (bytes: number) => Kernels;
  #kernels: Kernels | undefined;
  #used = ZEROS_BYTES;

  constructor(
    description: string,
    shapes: Readonly<Record<BlockElement, BlockShape>>,
    open: (bytes: number) => Kernels,
  ) {
    this.description = description;
    this.#open = open;
    this.single = this.#blocks('float32', 4, shapes.float32);
    this.double = this.#blocks('float64', 8, shapes.float64);
  }

  clear(bytes: number): void {
    this.#used = ZEROS_BYTES;
    const wanted = ZEROS_BYTES + bytes;
    if (this.#kernels !== undefined && this.#kernels.buffer.byteLength >= wanted) return;
    // The old memory may go before the new one is there.
    this.#kernels = undefined;
    this.#kernels = this.#open(wanted);
  }

  singles(length: number): Singles {
    const address = this.#take(4 * length);
    return { address, values: new Float32Array(this.#kernels!.buffer, address, length) };
  }

  doubles(length: number): Doubles {
    const address = this.#take(8 * length);
    return { address, values: new Float64Array(this.#kernels!.buffer, address, length) };
  }

  #take(bytes: number): number {
    const address = this.#used;
    this.#used += aligned(bytes);
    return address;
  }

  #blocks(element: BlockElement, bytes: number, shape: BlockShape): Blocks {
    return {
      ...shape,
      bytes,
      add: (left, right, rows, panels, out, outRowBytes, fresh) => {
        const leftBytes = bytes * shape.leftWidth * rows;
        const panelBytes = bytes * shape.rightWidth;
        const kernel = this.#kernels![element];
        if (fresh) kernel(left, leftBytes, right, panels, 0, 0, 0, out, outRowBytes);
        else kernel(left, leftBytes, right, panels, out, outRowBytes, panelBytes, out, outRowBytes);
      },
    };
  }
}

function scalarKernels(bytes: number): Kernels {
  const buffer = new ArrayBuffer(aligned(bytes));
  return {
    buffer,
    float32: scalarKernel(new Float32Array(buffer), singleBlockShapes[128]),
    float64: scalarKernel(new Float64Array(buffer), blockShapes[128]),
  };
}

function scalarKernel(
  values: Float32Array | Float64Array,
  { leftWidth, rightWidth }: BlockShape,
): WasmBlockKernel {
  const bytes = values.BYTES_PER_ELEMENT;
  return (left, leftBytes, right, panels, from, fromRow, fromPanel, out, outRow) => {
    const rows = leftBytes / bytes / leftWidth;
    const [l, r, o, f] = [left / bytes, right / bytes, out / bytes, from / bytes];
    for (let panel = 0; panel < panels; panel++) {
      for (let a = 0; a < leftWidth; a++) {
        for (let b = 0; b < rightWidth; b++) {
          let sum = values[f + (a * fromRow + panel * fromPanel) / bytes + b]!;
          for (let k = 0; k < rows; k++) {
            sum += values[l + k * leftWidth + a]! * values[r + (panel * rows + k) * rightWidth + b]!;
          }
          values[o + (a * outRow) / bytes + panel * rightWidth + b] = sum;
        }
      }
    }
  };
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}
