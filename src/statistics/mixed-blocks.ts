import type { Side } from './block-kernel.ts';
import { vectorBits } from './vector-bits.ts';
import {
  blockFunction,
  blockShapes,
  singleBlockShapes,
  type BlockElement,
  type BlockShape,
  type WasmBlockKernel,
} from './wasm-block-kernel.ts';
import { encodeModule, type WasmFunction } from './wasm-encoding.ts';
import { compileWidest, describeModule, instantiate, type CompiledModule } from './wasm-module.ts';
import { columnPanels, rowPanels, type WasmPanels } from './wasm-panels.ts';

/** A span of memory: a typed array over it, and its address in bytes. */
export interface Span<T extends Float32Array | Float64Array> {
  readonly values: T;
  readonly address: number;
}
export type Singles = Span<Float32Array>;
export type Doubles = Span<Float64Array>;

/** A row-major matrix in memory. */
export interface Place {
  /** Of its first element, in bytes */
  readonly address: number;
  /** Elements from one row to the next */
  readonly stride: number;
}

/** Where sums of products go. */
export interface BlockSums {
  /** In bytes */
  readonly address: number;
  /** From one row of the sums to the next */
  readonly rowBytes: number;
  /** Ignores the previous content */
  readonly overwrite: boolean;
}

/** Products of panels in one precision, see {@link WasmBlockKernel}. */
export interface Blocks extends BlockShape {
  /** Bytes of an element */
  readonly bytes: number;
  /**
   * Adds the products of a left panel `[rows, leftWidth]` with consecutive right panels `[panels, rows, rightWidth]` to
   * `[leftWidth, panels * rightWidth]`. All locations are addresses in bytes.
   *
   * @param panels at least 1
   */
  add(left: number, right: number, rows: number, panels: number, out: BlockSums): void;
  /**
   * Packs columns into panels `[panel, rows, width]`. Whole panels are packed, with whatever follows the columns in
   * memory; products of other columns do not read that.
   *
   * @param from the first element
   * @param columns at least 1
   * @param to address of the panels
   */
  packColumns(side: Side, from: Place, rows: number, columns: number, to: number): void;
  /** The same for the transposed matrix: rows become the columns of the panels. */
  packRows(side: Side, from: Place, rows: number, columns: number, to: number): void;
}

/**
 * Memory in which products of both precisions are formed. Spans are allocated consecutively and are valid until
 * {@link MixedBlocks.clear}.
 */
export interface MixedBlocks {
  /** What it runs on, for diagnostics */
  readonly description: string;
  readonly single: Blocks;
  readonly double: Blocks;
  /** Frees all spans and provides memory for new ones of `bytes` bytes in total. @throws `out-of-memory` */
  clear(bytes: number): void;
  /** Uninitialised. @throws RangeError beyond the memory that {@link MixedBlocks.clear} provided */
  singles(length: number): Singles;
  doubles(length: number): Doubles;
}

/** Zeros that sums start from, at the start of every memory. */
const ZEROS_BYTES = 256;
const ALIGNMENT = 16;

/** Memory that such spans take, in bytes. */
export function spanBytes(...spans: readonly { readonly length: number; readonly bytes: 4 | 8 }[]): number {
  return spans.reduce((sum, { length, bytes }) => sum + aligned(length * bytes), 0);
}

let compiled: CompiledModule | undefined | 'not yet' = 'not yet';

/** With WebAssembly SIMD, fused if the engine has relaxed SIMD; in plain JavaScript without SIMD. */
export function mixedBlocks(): MixedBlocks {
  const bits = vectorBits();
  const shapes = { float32: singleBlockShapes[bits], float64: blockShapes[bits] };
  if (compiled === 'not yet') {
    compiled = compileWidest((fused) =>
      encodeModule(elements.flatMap((element) => functionsOf(element, shapes[element], fused))),
    );
  }
  const module = compiled;
  if (module === undefined) return new Memory('plain JavaScript', shapes, scalarKernels);
  return new Memory(describeModule(module, bits), shapes, (bytes) => {
    const { exports, buffer } = instantiate(module, bytes);
    const of = (element: BlockElement): Kernels => ({
      add: exports[`${element} add`] as WasmBlockKernel,
      columns: pairOf((side) => exports[`${element} columns ${side}`] as WasmPanels),
      rows: pairOf((side) => exports[`${element} rows ${side}`] as WasmPanels),
    });
    return { buffer, float32: of('float32'), float64: of('float64') };
  });
}

/** {@link mixedBlocks} in plain JavaScript: the reference for WebAssembly. */
export function scalarMixedBlocks(): MixedBlocks {
  return new Memory(
    'plain JavaScript',
    { float32: singleBlockShapes[128], float64: blockShapes[128] },
    scalarKernels,
  );
}

const elements = ['float32', 'float64'] as const;

function functionsOf(element: BlockElement, shape: BlockShape, fused: boolean): WasmFunction[] {
  return [
    blockFunction(`${element} add`, element, shape, fused),
    ...(['left', 'right'] as const).flatMap((side) => [
      columnPanels(`${element} columns ${side}`, element, shape[widthOf[side]]),
      rowPanels(`${element} rows ${side}`, element, shape[widthOf[side]]),
    ]),
  ];
}

const widthOf = { left: 'leftWidth', right: 'rightWidth' } as const;

function pairOf<T>(of: (side: Side) => T): Readonly<Record<Side, T>> {
  return { left: of('left'), right: of('right') };
}

/** Functions of one element type over a memory. */
interface Kernels {
  readonly add: WasmBlockKernel;
  readonly columns: Readonly<Record<Side, WasmPanels>>;
  readonly rows: Readonly<Record<Side, WasmPanels>>;
}

type OpenMemory = { readonly buffer: ArrayBuffer } & Readonly<Record<BlockElement, Kernels>>;

class Memory implements MixedBlocks {
  readonly description: string;
  readonly single: Blocks;
  readonly double: Blocks;
  readonly #open: (bytes: number) => OpenMemory;
  #kernels: OpenMemory | undefined;
  #used = ZEROS_BYTES;

  constructor(
    description: string,
    shapes: Readonly<Record<BlockElement, BlockShape>>,
    open: (bytes: number) => OpenMemory,
  ) {
    this.description = description;
    this.#open = open;
    this.single = this.#blocks('float32', 4, shapes.float32);
    this.double = this.#blocks('float64', 8, shapes.float64);
  }

  clear(bytes: number): void {
    this.#used = ZEROS_BYTES;
    const needed = ZEROS_BYTES + bytes;
    if (this.#kernels !== undefined && this.#kernels.buffer.byteLength >= needed) return;
    // Lets the old memory go before the new one is allocated.
    this.#kernels = undefined;
    this.#kernels = this.#open(needed);
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
    const kernels = (): Kernels => this.#kernels![element];
    const panels = (side: Side, columns: number): number => Math.ceil(columns / shape[widthOf[side]]);
    return {
      ...shape,
      bytes,
      add: (left, right, rows, panels, { address: out, rowBytes: outRowBytes, overwrite }) => {
        const leftBytes = bytes * shape.leftWidth * rows;
        const panelBytes = bytes * shape.rightWidth;
        const { add } = kernels();
        if (overwrite) add(left, leftBytes, right, panels, 0, 0, 0, out, outRowBytes);
        else add(left, leftBytes, right, panels, out, outRowBytes, panelBytes, out, outRowBytes);
      },
      packColumns: (side, { address, stride }, rows, columns, to) => {
        kernels().columns[side](address, bytes * stride, rows, to, panels(side, columns));
      },
      packRows: (side, { address, stride }, rows, columns, to) => {
        kernels().rows[side](address, bytes * stride, columns, to, panels(side, rows));
      },
    };
  }
}

function scalarKernels(bytes: number): OpenMemory {
  const buffer = new ArrayBuffer(aligned(bytes));
  const of = (values: Float32Array | Float64Array, shape: BlockShape): Kernels => ({
    add: scalarKernel(values, shape),
    columns: pairOf((side) => scalarPanels(values, shape[widthOf[side]], 'columns')),
    rows: pairOf((side) => scalarPanels(values, shape[widthOf[side]], 'rows')),
  });
  return {
    buffer,
    float32: of(new Float32Array(buffer), singleBlockShapes[128]),
    float64: of(new Float64Array(buffer), blockShapes[128]),
  };
}

function scalarPanels(
  values: Float32Array | Float64Array,
  width: number,
  which: 'columns' | 'rows',
): WasmPanels {
  const bytes = values.BYTES_PER_ELEMENT;
  return (from, rowBytes, length, to, panels) => {
    const stride = rowBytes / bytes;
    const [along, across] = which === 'columns' ? [stride, 1] : [1, stride];
    let place = to / bytes;
    for (let panel = 0; panel < panels; panel++) {
      const first = from / bytes + panel * width * across;
      for (let k = 0; k < length; k++) {
        for (let c = 0; c < width; c++) values[place++] = values[first + k * along + c * across]!;
      }
    }
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
