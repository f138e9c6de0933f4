import { createStorage, type BufferPool, type BufferView, type OwnedBuffer } from '../../../gpu/buffer.ts';
import type { GpuContext } from '../../../gpu/device.ts';
import { compileKernel } from '../../../gpu/kernel.ts';
import { ranges } from '../../../gpu/ranges.ts';
import { workgroups, type Recorder } from '../../../gpu/recorder.ts';
import {
  MOST_LAYERS,
  OPERATIONS_PER_COVARIANCE,
  OPERATIONS_PER_STEP,
  doubleSingle,
  type BlockOnGpu,
  type BlockSums,
  type PairOnGpu,
} from './block.ts';
import { WORKGROUP } from './score-kernels.ts';
import {
  choleskyPanelKernel,
  choleskyThreadKernel,
  choleskyUpdateKernel,
  choleskyWorkgroupKernel,
  SIDE,
  systemsKernel,
  THREAD_SET,
  WORKGROUP_SET,
} from './partial-kernels.ts';
import { factorElements, type TargetBlock } from './target-blocks.ts';

/** Columns of a tile of large conditioning sets. */
const TILE_COLUMNS = 32;

/** Rows and columns per workgroup of cholesky-update.wgsl. */
const UPDATE_SPAN = 4 * SIDE;

/** The kernels that the blocks need; others are not compiled. */
export type FactorKernels = Awaited<ReturnType<typeof compileFactorKernels>>;

/** @throws `gpu-validation`, `device-lost` */
export async function compileFactorKernels(context: GpuContext, blocks: readonly TargetBlock[]) {
  const any = (range: (largestSet: number) => boolean): boolean =>
    blocks.some(({ largestSet }) => range(largestSet));
  const small = any((size) => size <= THREAD_SET);
  const middle = any((size) => size > THREAD_SET);
  const large = any((size) => size > WORKGROUP_SET);
  const [systems, thread, workgroup, panel, update] = await Promise.all([
    compileKernel(context, systemsKernel, { WORKGROUP }),
    small ? compileKernel(context, choleskyThreadKernel, { WORKGROUP }) : undefined,
    middle ? compileKernel(context, choleskyWorkgroupKernel) : undefined,
    large ? compileKernel(context, choleskyPanelKernel, { WORKGROUP }) : undefined,
    large ? compileKernel(context, choleskyUpdateKernel) : undefined,
  ]);
  return { systems, thread, workgroup, panel, update };
}

/**
 * Cholesky factors of one block of targets at a time. Small conditioning sets are factored by one thread each, medium
 * ones by one workgroup each, large ones by columns of tiles: the tile on the diagonal, the rows below it, and the
 * trailing update of the columns to the right, each over as many workgroups as the work needs.
 */
export class Factors {
  /** Packed factors; see shaders/shared/targets.wgsl */
  readonly buffer: OwnedBuffer;
  readonly #context: GpuContext;
  readonly #kernels: FactorKernels;
  readonly #ridge: readonly [high: number, low: number];
  readonly #nodes: number;
  readonly #stride: number;
  readonly #diagonals: OwnedBuffer;
  readonly #outcome: BufferView;

  /**
   * @param outcome receives the flags of targets whose factor needs float64
   * @param pool owns the buffers, which fit the largest block
   */
  constructor(
    context: GpuContext,
    kernels: FactorKernels,
    blocks: readonly TargetBlock[],
    shape: { readonly nodes: number; readonly stride: number; readonly ridge: number },
    { outcome, pool }: { readonly outcome: BufferView; readonly pool: BufferPool },
  ) {
    this.#context = context;
    this.#kernels = kernels;
    this.#ridge = doubleSingle(shape.ridge);
    this.#nodes = shape.nodes;
    this.#stride = shape.stride;
    this.#outcome = outcome;
    const create = (label: string, count: (block: TargetBlock) => number): OwnedBuffer =>
      pool.keep(createStorage(context, label, 8 * Math.max(0, ...blocks.map(count))));
    this.buffer = create('Cholesky factors', (block) => block.factorElements);
    this.#diagonals = create('diagonals of S_xx', ({ members }) => members);
  }

  /** Records the factorization of a block of targets. */
  record(recorder: Recorder, pair: PairOnGpu, block: BlockOnGpu, sums: BlockSums): void {
    this.#setUp(recorder, pair, block, sums);
    const { largestSet } = block;
    if (largestSet <= THREAD_SET) {
      this.#factorByThreads(recorder, pair, block);
    } else if (largestSet <= WORKGROUP_SET) {
      this.#factorTiles(recorder, pair, block, 0, WORKGROUP_SET);
    } else {
      for (let column = 0; column < largestSet; column += TILE_COLUMNS) {
        this.#factorTiles(recorder, pair, block, column, TILE_COLUMNS);
        this.#factorBelow(recorder, block, column);
        this.#update(recorder, block, column);
      }
    }
  }

  #setUp(recorder: Recorder, pair: PairOnGpu, block: BlockOnGpu, sums: BlockSums): void {
    const [ridge_high, ridge_low] = this.#ridge;
    const [inverse_count_high, inverse_count_low] = pair.inverseCount;
    const targets = block.targets.length;
    const elements = factorElements(block.largestSet);
    const operations = OPERATIONS_PER_COVARIANCE * elements;
    for (const [first_target, end] of this.#targetRanges(targets, operations)) {
      recorder.dispatch(
        this.#kernels.systems,
        {
          stride: this.#stride,
          panel_row: block.panel.row,
          targets,
          first_target,
          ridge_high,
          ridge_low,
          inverse_count_high,
          inverse_count_low,
          zero: 0,
        },
        {
          plan: block.planBuffer,
          moments: pair.moments,
          covariance_rows: sums.covarianceRows,
          sum_xy: sums.sumXY,
          factors: this.buffer,
          diagonals: this.#diagonals,
        },
        [Math.ceil(elements / WORKGROUP), end - first_target, 1],
        operations * (end - first_target),
      );
    }
  }

  #factorByThreads(recorder: Recorder, { pair }: PairOnGpu, block: BlockOnGpu): void {
    const targets = block.targets.length;
    recorder.dispatch(
      this.#kernels.thread!,
      { outcome_offset: pair * this.#nodes, targets, zero: 0 },
      this.#buffers(block),
      [Math.ceil(targets / WORKGROUP), 1, 1],
      factorOperations(block.largestSet) * targets,
    );
  }

  /** `columns` columns of all factors from `first_column` on, and the row of y if they include the last. */
  #factorTiles(
    recorder: Recorder,
    { pair }: PairOnGpu,
    block: BlockOnGpu,
    first_column: number,
    columns: number,
  ): void {
    const targets = block.targets.length;
    recorder.dispatch(
      this.#kernels.workgroup!,
      { outcome_offset: pair * this.#nodes, targets, first_column, columns, zero: 0 },
      this.#buffers(block),
      workgroups(targets),
      factorOperations(Math.min(columns, block.largestSet)) * targets,
    );
  }

  /** The rows below the tiles from `first_column` on. */
  #factorBelow(recorder: Recorder, block: BlockOnGpu, first_column: number): void {
    const rows = rowsBelow(block, first_column);
    const operations = (OPERATIONS_PER_STEP * rows * TILE_COLUMNS ** 2) / 2;
    for (const [first_target, end] of this.#targetRanges(block.targets.length, operations)) {
      recorder.dispatch(
        this.#kernels.panel!,
        { first_target, first_column, columns: TILE_COLUMNS, zero: 0 },
        { plan: block.planBuffer, factors: this.buffer },
        [Math.ceil(rows / WORKGROUP), end - first_target, 1],
        operations * (end - first_target),
      );
    }
  }

  /** Trailing update of the columns to the right of the tiles from `first_column` on. */
  #update(recorder: Recorder, block: BlockOnGpu, first_column: number): void {
    const lines = Math.ceil(rowsBelow(block, first_column) / UPDATE_SPAN);
    const operations = OPERATIONS_PER_STEP * UPDATE_SPAN ** 2 * TILE_COLUMNS * lines;
    const most = this.#context.operationsPerSubmit / operations;
    for (const [first_line, endLine] of ranges(lines, most)) {
      for (const [first_target, end] of this.#targetRanges(block.targets.length, operations * lines)) {
        recorder.dispatch(
          this.#kernels.update!,
          { first_target, first_column, columns: TILE_COLUMNS, first_line, zero: 0 },
          { plan: block.planBuffer, factors: this.buffer },
          // No workgroups above the diagonal.
          [endLine, endLine - first_line, end - first_target],
          operations * (endLine - first_line) * (end - first_target),
        );
      }
    }
  }

  #buffers({ planBuffer }: BlockOnGpu) {
    return {
      plan: planBuffer,
      diagonals: this.#diagonals,
      factors: this.buffer,
      outcome: this.#outcome,
    };
  }

  /** Ranges of targets that fit a submit and a dispatch. @param operations per target */
  #targetRanges(targets: number, operations: number): Generator<readonly [first: number, end: number]> {
    return ranges(targets, Math.min(MOST_LAYERS, this.#context.operationsPerSubmit / operations));
  }
}

/** Rows below a tile of a block's largest set, that of y the last; 0 for the last tile, which includes the row of y. */
function rowsBelow({ largestSet }: TargetBlock, firstColumn: number): number {
  const end = firstColumn + TILE_COLUMNS;
  return end < largestSet ? largestSet + 1 - end : 0;
}

/** Operations of a factor with the row of y. */
function factorOperations(size: number): number {
  return (OPERATIONS_PER_STEP * (size + 1) ** 3) / 6;
}
