import { createStorage, type BufferPool, type OwnedBuffer } from '../gpu/buffer.ts';
import type { GpuContext } from '../gpu/device.ts';
import { compileKernel } from '../gpu/kernel.ts';
import { workgroups, type Recorder, type WorkgroupCount } from '../gpu/recorder.ts';
import {
  accumulateExactKernel,
  accumulateFastKernel,
  CHUNK,
  deviationsKernel,
  digitsKernel,
  TILE,
  WORKGROUP,
  type Precision,
} from './webgpu-kernels.ts';
import { quantityOf, type Panel, type StatisticsLayout } from './webgpu-layout.ts';

/** Rows that wait in the stage. */
export interface WaitingRows {
  readonly stage: OwnedBuffer;
  readonly rows: number;
  /** Batch that the first of them belongs to */
  readonly firstBatch: number;
}

/** The buffers of sums that rows are added to; see GpuSums. */
export interface SumBuffers {
  readonly pivots: OwnedBuffer;
  readonly columnSums: OwnedBuffer;
  readonly sumXY: readonly (readonly OwnedBuffer[])[];
  readonly sumXX: readonly (readonly OwnedBuffer[])[];
}

/** Records what adds the waiting rows of all layer pairs to the sums; rows from the first refused batch on are not. */
export type RecordProducts = (
  recorder: Recorder,
  waiting: WaitingRows,
  sums: SumBuffers,
  refusal: OwnedBuffer,
) => void;

/**
 * Compiles the kernels of a precision. Buffers that it needs beside the sums are kept in `pool`.
 *
 * @throws `gpu-validation`, `out-of-memory`, `device-lost`
 */
export function createProducts(
  context: GpuContext,
  layout: StatisticsLayout,
  precision: Precision,
  pool: BufferPool,
): Promise<RecordProducts> {
  return precision === 'exact' ? exactProducts(context, layout, pool) : fastProducts(context, layout);
}

async function fastProducts(context: GpuContext, layout: StatisticsLayout): Promise<RecordProducts> {
  const { pairs, stride, stageRows } = layout;
  const [deviations, accumulate] = await Promise.all([
    compileKernel(context, deviationsKernel, { WORKGROUP }),
    compileKernel(context, accumulateFastKernel, { WORKGROUP, CHUNK }),
  ]);
  const offset = (quantity: number): number => (quantity * stageRows * stride) / 4;
  return (recorder, { stage, rows, firstBatch }, { pivots, columnSums, sumXY, sumXX }, refusal) => {
    const params = { rows, stride, first_batch: firstBatch, stage_rows: stageRows, zero: 0 };
    const buffers = { refusal, pivots, stage, column_sums: columnSums };
    recorder.dispatch(deviations, params, buffers, columnGroups(layout, 2 * pairs));
    const perBlock = 2 * TILE * TILE * rows;
    for (let p = 0; p < pairs; p++) {
      for (const range of blockRanges(context, layout, perBlock)) {
        const { panel, first_block, end_block } = range;
        const blocks = end_block - first_block;
        recorder.dispatch(
          accumulate,
          {
            ...params,
            panel_row: panel.row,
            first_block,
            end_block,
            x_offset: offset(quantityOf.x(p)),
            y_offset: offset(quantityOf.y(p)),
          },
          { stage, refusal, sum_xy: sumXY[p]![panel.index]!, sum_xx: sumXX[p]![panel.index]! },
          workgroups(Math.ceil(blocks / WORKGROUP)),
          blocks * perBlock,
        );
      }
    }
  };
}

/** Threads that share one tile of sums in accumulate-exact.wgsl. */
const THREADS_PER_TILE = 4;

/** Products of digits that stand for one product there. */
const PRODUCTS_FOR_ONE = 8;

async function exactProducts(
  context: GpuContext,
  layout: StatisticsLayout,
  pool: BufferPool,
): Promise<RecordProducts> {
  const { pairs, stride, stageRows } = layout;
  const [writeDigits, accumulate] = await Promise.all([
    compileKernel(context, digitsKernel, { WORKGROUP }),
    compileKernel(context, accumulateExactKernel, { WORKGROUP }),
  ]);
  // Of one layer pair at a time.
  const digits = pool.keep(createStorage(context, 'digits', 4 * 2 * 3 * stride * stageRows));
  const exponents = pool.keep(createStorage(context, 'exponents', 4 * 2 * stride));
  return (recorder, { stage, rows, firstBatch }, { pivots, columnSums, sumXY, sumXX }, refusal) => {
    const params = { rows, stride, first_batch: firstBatch, stage_rows: stageRows, zero: 0 };
    const perBlock = PRODUCTS_FOR_ONE * 2 * TILE * TILE * rows;
    for (let p = 0; p < pairs; p++) {
      recorder.dispatch(
        writeDigits,
        { ...params, quantity: quantityOf.x(p) },
        { refusal, pivots, stage, digits, exponents, column_sums: columnSums },
        columnGroups(layout, 2),
      );
      for (const range of blockRanges(context, layout, perBlock)) {
        const { panel, first_block, end_block } = range;
        const blocks = end_block - first_block;
        recorder.dispatch(
          accumulate,
          { ...params, panel_row: panel.row, first_block, end_block },
          { digits, exponents, refusal, sum_xy: sumXY[p]![panel.index]!, sum_xx: sumXX[p]![panel.index]! },
          workgroups(Math.ceil((THREADS_PER_TILE * blocks) / WORKGROUP)),
          blocks * perBlock,
        );
      }
    }
  };
}

function columnGroups({ stride }: StatisticsLayout, quantities: number): WorkgroupCount {
  return [Math.ceil(stride / WORKGROUP), 1, quantities];
}

/** Blocks of shaders/shared/blocks.wgsl that are summed by one dispatch. */
interface BlockRange {
  readonly panel: Panel;
  readonly first_block: number;
  readonly end_block: number;
}

/**
 * All blocks of a layer pair's sums, in ranges of one panel each that fit a submit.
 *
 * @param operations floating point operations per block
 */
function* blockRanges(
  { operationsPerSubmit }: GpuContext,
  { stride, panels }: StatisticsLayout,
  operations: number,
): Generator<BlockRange> {
  const perRow = (2 * stride) / TILE;
  // Whole workgroups of either kernel.
  const most = Math.max(1, Math.floor(operationsPerSubmit / operations / WORKGROUP)) * WORKGROUP;
  for (const panel of panels) {
    const end = ((panel.row + panel.rows) / TILE) * perRow;
    for (let first = (panel.row / TILE) * perRow; first < end; first += most) {
      yield { panel, first_block: first, end_block: Math.min(first + most, end) };
    }
  }
}
