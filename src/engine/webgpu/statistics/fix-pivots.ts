import type { BufferView } from '../../../gpu/buffer.ts';
import type { GpuContext } from '../../../gpu/device.ts';
import type { KernelOf } from '../../../gpu/kernel.ts';
import { Recorder } from '../../../gpu/recorder.ts';
import type { RowRange } from './gpu-row-store.ts';
import { quantityOf, type StatisticsLayout } from './layout.ts';
import { WORKGROUP, type pivotsKernel } from './statistics-kernels.ts';

/** Fixes the pivots and scales of all columns from the first range of rows; see shaders/pivots.wgsl. */
export async function fixPivots(
  context: GpuContext,
  kernel: KernelOf<typeof pivotsKernel>,
  { pairsPerBuffer, stride, chunkRows }: StatisticsLayout,
  { chunk, rows, firstBatch, endBatch }: RowRange,
  { refusal, pivots }: { readonly refusal: BufferView; readonly pivots: BufferView },
): Promise<void> {
  const recorder = new Recorder(context);
  for (const [group, buffer] of chunk.entries()) {
    recorder.dispatch(
      kernel,
      {
        rows,
        stride,
        first_batch: firstBatch,
        end_batch: endBatch,
        chunk_rows: chunkRows,
        quantity: quantityOf.x(group * pairsPerBuffer),
        zero: 0,
      },
      { chunk: buffer, refusal, pivots },
      [Math.ceil(stride / WORKGROUP), 1, 2 * pairsPerBuffer],
    );
  }
  await recorder.submit('pivots');
}
