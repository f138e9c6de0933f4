import {
  BufferPool,
  createStorage,
  storageFrom,
  type BufferView,
  type OwnedBuffer,
} from '../../../gpu/buffer.ts';
import type { GpuContext } from '../../../gpu/device.ts';
import { created } from '../../../gpu/error-scope.ts';
import { compileKernel, type KernelOf } from '../../../gpu/kernel.ts';
import { Recorder, workgroups } from '../../../gpu/recorder.ts';
import type { SubmitThrottle } from '../../../gpu/submit-throttle.ts';
import type { RowRange } from './gpu-row-store.ts';
import { DIAGONAL, gatherColumnsKernel, gatherSumsKernel, TILE, WORKGROUP } from './statistics-kernels.ts';
import type { Panel } from './layout.ts';
import { TILES, type Columns, type GpuMatmul } from './gpu-matmul.ts';

/** Most bytes of cached rows of X^T X: all of them at N = 10,000. */
const LINE_BYTES = 2 ** 30;

/** What products are formed from, and the throttle of their submits. */
export interface ProductInputs {
  readonly ranges: readonly RowRange[];
  readonly columns: Columns;
  /** Throttle of the request; an abort discards what was being formed. If undefined, all is submitted at once. */
  readonly throttle: SubmitThrottle | undefined;
}

interface Kernels {
  readonly gatherColumns: KernelOf<typeof gatherColumnsKernel>;
  readonly gatherSums: KernelOf<typeof gatherSumsKernel>;
}

/** Rows ("lines") of one layer pair's X^T X that have been formed. */
interface LineCache {
  readonly pair: number;
  /** Number of ranges that they are sums over */
  readonly ranges: number;
  readonly rowOf: Map<number, number>;
}

/**
 * Products formed on demand from stored rows, for sums that do not fit as whole matrices: one panel of X^T Y at a time,
 * and only the requested rows of X^T X, which are cached as long as they fit and the layer pair stays the same.
 */
export class OnDemandProducts {
  readonly #context: GpuContext;
  readonly #matmul: GpuMatmul;
  readonly #kernels: Kernels;
  readonly #pool = new BufferPool();
  readonly #panel: OwnedBuffer;
  readonly #lines: OwnedBuffer;
  readonly #listedValues: OwnedBuffer;
  readonly #listedExponents: OwnedBuffer;
  /** Tiles of the diagonal: `[stride, span]` */
  readonly #band: OwnedBuffer;
  #cache: LineCache = { pair: -1, ranges: 0, rowOf: new Map() };
  /** Contents of `#panel` */
  #panelOf: { readonly pair: number; readonly panel: Panel; readonly ranges: number } | undefined;

  private constructor(context: GpuContext, matmul: GpuMatmul, kernels: Kernels) {
    this.#context = context;
    this.#matmul = matmul;
    this.#kernels = kernels;
    const { stride, chunkRows, panels } = matmul.layout;
    const create = (label: string, bytes: number): OwnedBuffer =>
      this.#pool.keep(createStorage(context, label, bytes));
    this.#panel = create('a panel of X^T Y', 8 * panels[0]!.rows * stride);
    this.#lines = create('lines of X^T X', 8 * this.#cacheCapacity() * stride);
    const most = this.#mostAtOnce();
    this.#listedValues = create('values of listed columns', 4 * most * chunkRows);
    this.#listedExponents = create('exponents of listed columns', 4 * most);
    this.#band = create('tiles of the diagonal', 8 * stride * matmul.configuration.span);
  }

  /** @throws `gpu-validation`, `out-of-memory`, `device-lost` */
  static async create(context: GpuContext, matmul: GpuMatmul): Promise<OnDemandProducts> {
    const [gatherColumns, gatherSums] = await Promise.all([
      compileKernel(context, gatherColumnsKernel, { WORKGROUP }),
      compileKernel(context, gatherSumsKernel, { WORKGROUP }),
    ]);
    const kernels = { gatherColumns, gatherSums };
    return created(context, 'products', () => new OnDemandProducts(context, matmul, kernels));
  }

  /** Forms a panel of X^T Y, unless it was the last one requested; the next panel overwrites it. */
  async sumXY(inputs: ProductInputs, pair: number, panel: Panel): Promise<BufferView> {
    const sums = { ...this.#panel, size: 8 * panel.rows * this.#matmul.layout.stride };
    const held = this.#panelOf;
    const ranges = inputs.ranges.length;
    if (held?.pair === pair && held.panel.index === panel.index && held.ranges === ranges) return sums;
    this.#panelOf = undefined;
    await this.#form(inputs, pair, sums, (recorder, range) => {
      const target = { sums, left: 'y', rows: panel, tiles: TILES.all } as const;
      this.#matmul.recordProducts(recorder, range, target, 1);
    });
    this.#panelOf = { pair, panel, ranges };
    return sums;
  }

  /** Forms the diagonal of X^T X and writes it to `into`. */
  async diagonalXX(inputs: ProductInputs, pair: number, into: BufferView): Promise<void> {
    const { stride } = this.#matmul.layout;
    const { span } = this.#matmul.configuration;
    await this.#form(inputs, pair, this.#band, (recorder, range) => {
      const rows = { row: 0, rows: stride };
      const target = { sums: this.#band, left: 'x', rows, tiles: TILES.diagonal } as const;
      this.#matmul.recordProducts(recorder, range, target, 1);
    });
    const band = { ...this.#band, size: 8 * stride * span };
    await this.#gather(Uint32Array.of(DIAGONAL), band, into, span);
  }

  /** Writes rows of X^T X to `into`, forming those that are not cached. */
  async rowsXX(
    inputs: ProductInputs,
    pair: number,
    sources: Uint32Array<ArrayBuffer>,
    into: BufferView,
  ): Promise<void> {
    if (this.#cache.pair !== pair || this.#cache.ranges !== inputs.ranges.length) this.#forget(inputs, pair);
    const { stride } = this.#matmul.layout;
    const most = this.#mostAtOnce();
    // In pieces that fit the cache. If a piece's missing rows do not fit in what is left of it, the piece replaces it.
    for (let first = 0; first < sources.length; first += most) {
      const piece = sources.subarray(first, first + most);
      let missing = piece.filter((source) => !this.#cache.rowOf.has(source));
      const filled = Math.ceil(this.#cache.rowOf.size / TILE) * TILE;
      if (filled + Math.ceil(missing.length / TILE) * TILE > this.#cacheCapacity()) {
        this.#forget(inputs, pair);
        missing = piece;
      }
      if (missing.length > 0) await this.#formLines(inputs, pair, missing);
      const rows = Uint32Array.from(piece, (source) => this.#cache.rowOf.get(source)!);
      const size = 8 * stride;
      await this.#gather(rows, this.#lines, {
        buffer: into.buffer,
        offset: into.offset + first * size,
        size: rows.length * size,
      });
    }
  }

  /** Frees its buffers. Idempotent. */
  destroy(): void {
    this.#pool.destroy();
  }

  /** Capacity of the cache in rows: all, if they fit one binding and LINE_BYTES. Whole tiles. */
  #cacheCapacity(): number {
    const { stride } = this.#matmul.layout;
    const { maxStorageBufferBindingSize, maxBufferSize } = this.#context.device.limits;
    const bytes = Math.min(LINE_BYTES, maxStorageBufferBindingSize, maxBufferSize);
    return Math.min(stride, Math.max(1, Math.floor(bytes / (8 * stride * TILE))) * TILE);
  }

  /** Most rows formed at a time. */
  #mostAtOnce(): number {
    return Math.min(this.#cacheCapacity(), 1024);
  }

  #forget({ ranges }: ProductInputs, pair: number): void {
    this.#cache = { pair, ranges: ranges.length, rowOf: new Map() };
  }

  async #formLines(inputs: ProductInputs, pair: number, sources: Uint32Array<ArrayBuffer>): Promise<void> {
    const { stride } = this.#matmul.layout;
    const { rowOf } = this.#cache;
    // Whole tiles, so that rows formed later begin at a tile of their own.
    const width = Math.ceil(sources.length / TILE) * TILE;
    const first = Math.ceil(rowOf.size / TILE) * TILE;
    const sums = { buffer: this.#lines.buffer, offset: 8 * first * stride, size: 8 * width * stride };
    const columns = storageFrom(this.#context, 'listed columns', sources);
    const listed = { values: this.#listedValues, exponents: this.#listedExponents, width };
    const formed = this.#form(inputs, pair, sums, (recorder, range) => {
      recorder.dispatch(
        this.#kernels.gatherColumns,
        { rows: range.rows, stride, count: sources.length, width },
        {
          columns,
          values: this.#matmul.values,
          exponents: this.#matmul.exponents,
          listed_values: listed.values,
          listed_exponents: listed.exponents,
        },
        workgroups(Math.ceil((range.rows * width) / WORKGROUP)),
      );
      const rows = { row: 0, rows: width };
      const target = { sums, left: listed, rows, tiles: TILES.all };
      this.#matmul.recordProducts(recorder, range, target, 1);
    });
    await formed.finally(() => {
      columns.destroy();
    });
    sources.forEach((source, k) => rowOf.set(source, first + k));
    // Rows of padding belong to no source but occupy the cache.
    for (let k = sources.length; k < width; k++) rowOf.set(-1 - first - k, first + k);
  }

  /** Clears `sums`, then centres each range of the pair and runs what `record` adds for it. */
  #form(
    { ranges, columns, throttle }: ProductInputs,
    pair: number,
    sums: BufferView,
    record: (recorder: Recorder, range: RowRange) => void,
  ): Promise<void> {
    const { device } = this.#context;
    const encoder = device.createCommandEncoder({ label: 'empty sums' });
    encoder.clearBuffer(sums.buffer, sums.offset, sums.size);
    device.queue.submit([encoder.finish()]);
    const recorder = new Recorder(this.#context);
    for (const range of ranges) {
      this.#matmul.recordCentring(recorder, range, pair, columns, false);
      record(recorder, range);
    }
    const what = 'products of kept rows';
    return throttle === undefined ? recorder.submit(what) : recorder.submitThrottled(what, throttle);
  }

  /** Copies whole rows of `sums`, or its diagonal. */
  async #gather(
    rows: Uint32Array<ArrayBuffer>,
    sums: BufferView,
    into: BufferView,
    width?: number,
  ): Promise<void> {
    const { stride } = this.#matmul.layout;
    const lines = await created(this.#context, 'a list of lines', () =>
      storageFrom(this.#context, 'lines', rows),
    );
    const submitted = new Recorder(this.#context)
      .dispatch(
        this.#kernels.gatherSums,
        {
          lines: rows.length,
          stride,
          width: width ?? stride,
          panel_row: 0,
          panel_rows: Math.floor(sums.size / (8 * (width ?? stride))),
          whole: 1,
        },
        { lines, sum_xx: sums, gathered: into },
        workgroups(Math.ceil((rows.length * stride) / WORKGROUP)),
      )
      .submit('lines of X^T X');
    lines.destroy();
    return submitted;
  }
}
