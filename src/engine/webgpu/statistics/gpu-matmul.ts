import { BufferPool, createStorage, type BufferView, type OwnedBuffer } from '../../../gpu/buffer.ts';
import type { GpuContext } from '../../../gpu/device.ts';
import { created } from '../../../gpu/error-scope.ts';
import { compileKernel, type KernelOf } from '../../../gpu/kernel.ts';
import { workgroups, type Recorder } from '../../../gpu/recorder.ts';
import type { Configuration } from './configurations.ts';
import type { RowRange } from './gpu-row-store.ts';
import { centreKernels, WORKGROUP } from './statistics-kernels.ts';
import { quantityOf, type StatisticsLayout } from './layout.ts';

/** Which tiles of a matrix are formed; the constants of shaders/shared/products.wgsl. */
export const TILES = { all: 0, triangle: 1, diagonal: 2 } as const;

/** A matrix of products with x to accumulate into: all of it, or the rows of a panel. */
export interface ProductTarget {
  readonly sums: BufferView;
  /** The left operand; the right one is x */
  readonly left: 'x' | 'y' | Operand;
  /** Columns of the left operand that are the matrix's rows */
  readonly rows: { readonly row: number; readonly rows: number };
  readonly tiles: (typeof TILES)[keyof typeof TILES];
}

/** A left operand other than x or y of the range: values `[rows, width]` and exponents `[width]`. */
export interface Operand {
  readonly values: BufferView;
  readonly exponents: BufferView;
  readonly width: number;
}

/** Pivots, and the column sums to which a range is added when it is first centred. */
export interface Columns {
  readonly pivots: OwnedBuffer;
  readonly columnSums: OwnedBuffer;
}

interface MatmulKernels {
  readonly centre: KernelOf<(typeof centreKernels)['exact']>;
  readonly multiply: KernelOf<Configuration['kernel']>;
}

/**
 * Forms products of stored rows, a range at a time: centres its values into planes of x and y, for the layer pairs
 * whose sums share a buffer, then multiplies them.
 */
export class GpuMatmul {
  readonly configuration: Configuration;
  readonly layout: StatisticsLayout;
  /** `[2 * pairsPerBuffer, chunkRows, stride]` words, x and y alternating */
  readonly values: OwnedBuffer;
  /** `[2 * pairsPerBuffer, stride]` */
  readonly exponents: OwnedBuffer;
  readonly #context: GpuContext;
  readonly #pool = new BufferPool();
  readonly #refusal: BufferView;
  readonly #centre: MatmulKernels['centre'];
  readonly #multiply: MatmulKernels['multiply'];

  private constructor(
    context: GpuContext,
    layout: StatisticsLayout,
    configuration: Configuration,
    refusal: BufferView,
    { centre, multiply }: MatmulKernels,
  ) {
    this.#context = context;
    this.layout = layout;
    this.configuration = configuration;
    this.#refusal = refusal;
    this.#centre = centre;
    this.#multiply = multiply;
    const { pairsPerBuffer, chunkRows, stride } = layout;
    const planes = 2 * pairsPerBuffer;
    this.values = this.#pool.keep(createStorage(context, 'centred values', 4 * planes * chunkRows * stride));
    this.exponents = this.#pool.keep(createStorage(context, 'exponents', 4 * planes * stride));
  }

  /** @throws `gpu-validation`, `out-of-memory`, `device-lost` */
  static async create(
    context: GpuContext,
    layout: StatisticsLayout,
    configuration: Configuration,
    refusal: BufferView,
  ): Promise<GpuMatmul> {
    const [centre, multiply] = await Promise.all([
      compileKernel(context, centreKernels[configuration.precision], { WORKGROUP }),
      compileKernel(context, configuration.kernel, configuration.constants),
    ]);
    return created(
      context,
      'centred values',
      () => new GpuMatmul(context, layout, configuration, refusal, { centre, multiply }),
    );
  }

  /**
   * Records the centring of a range for a group of layer pairs (`layout.pairsPerBuffer` of them, from `firstPair` on).
   *
   * @param count whether the range is added to the column sums
   */
  recordCentring(
    recorder: Recorder,
    range: RowRange,
    firstPair: number,
    { pivots, columnSums }: Columns,
    count: boolean,
  ): void {
    const { stride, pairsPerBuffer, chunkRows } = this.layout;
    recorder.dispatch(
      this.#centre,
      {
        ...rowsOf(range),
        stride,
        chunk_rows: chunkRows,
        quantity: quantityOf.x(firstPair),
        count: Number(count),
        zero: 0,
      },
      {
        refusal: this.#refusal,
        pivots,
        chunk: range.chunk[firstPair / pairsPerBuffer]!,
        values: this.values,
        exponents: this.exponents,
        column_sums: columnSums,
      },
      [Math.ceil(stride / WORKGROUP), 1, 2 * pairsPerBuffer],
    );
  }

  /**
   * Records the accumulation of a centred range's products into a matrix, in dispatches that each fit a submit.
   *
   * @param pairsPerBuffer layer pairs whose matrices `sums` holds one after the other
   */
  recordProducts(
    recorder: Recorder,
    range: RowRange,
    { sums, left, rows, tiles }: ProductTarget,
    pairsPerBuffer = this.layout.pairsPerBuffer,
  ): void {
    const { stride, chunkRows } = this.layout;
    const { span, tilesPerWorkgroup } = this.configuration;
    const operand =
      typeof left === 'object' ? left : { values: this.values, exponents: this.exponents, width: stride };
    const high = Math.ceil(rows.rows / span);
    const all = tiles === TILES.diagonal ? high : high * Math.ceil(stride / span);
    const perTile = this.#operations(range.rows) * span * span * pairsPerBuffer;
    // Whole workgroups.
    const most =
      Math.max(1, Math.floor(this.#context.operationsPerSubmit / perTile / tilesPerWorkgroup)) *
      tilesPerWorkgroup;
    for (let first = 0; first < all; first += most) {
      const end = Math.min(first + most, all);
      recorder.dispatch(
        this.#multiply,
        {
          ...rowsOf(range),
          plane_rows: chunkRows,
          left_plane: Number(left === 'y'),
          left_stride: operand.width,
          right_plane: 0,
          stride,
          first_line: rows.row,
          end_line: rows.row + rows.rows,
          first_tile: first,
          end_tile: end,
          shape: tiles,
          zero: 0,
        },
        {
          left_values: operand.values,
          right_values: this.values,
          left_exponents: operand.exponents,
          right_exponents: this.exponents,
          refusal: this.#refusal,
          sums,
        },
        workgroups(Math.ceil((end - first) / tilesPerWorkgroup), pairsPerBuffer),
        (end - first) * perTile,
      );
    }
  }

  /** Frees the planes. Idempotent. */
  destroy(): void {
    this.#pool.destroy();
  }

  /** Approximate floating point operations per element of a matrix; 'exact' takes eight digit products per product. */
  #operations(rows: number): number {
    return (this.configuration.precision === 'exact' ? 8 : 1) * 2 * rows;
  }
}

function rowsOf({ rows, firstRow, firstBatch, endBatch }: RowRange) {
  return { rows, first_row: firstRow, first_batch: firstBatch, end_batch: endBatch };
}
