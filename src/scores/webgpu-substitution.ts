import { createStorage, type BufferPool, type BufferView, type OwnedBuffer } from '../gpu/buffer.ts';
import type { GpuContext } from '../gpu/device.ts';
import { compileKernel } from '../gpu/kernel.ts';
import { ranges, type PacedRecorder } from '../gpu/paced-recorder.ts';
import {
  MOST_LAYERS,
  OPERATIONS_PER_STEP,
  SCRATCH_BYTES,
  type BlockOnGpu,
  type BlockSums,
  type PairOnGpu,
} from './webgpu-block.ts';
import { WORKGROUP } from './webgpu-kernels.ts';
import { partialPrivateKernel, partialStoredKernel, PRIVATE_SET } from './webgpu-partial-kernels.ts';
import type { TargetBlock } from './webgpu-targets.ts';

/** The kernels that some block needs; the others are not compiled. */
export type SubstitutionKernels = Awaited<ReturnType<typeof compileSubstitutionKernels>>;

/** @throws `gpu-validation`, `device-lost` */
export async function compileSubstitutionKernels(context: GpuContext, blocks: readonly TargetBlock[]) {
  const stored = ({ largestSet }: TargetBlock): boolean => largestSet > PRIVATE_SET;
  const [inPrivate, inStorage] = await Promise.all([
    blocks.every(stored) ? undefined : compileKernel(context, partialPrivateKernel, { WORKGROUP }),
    blocks.some(stored) ? compileKernel(context, partialStoredKernel, { WORKGROUP }) : undefined,
  ]);
  return { inPrivate, inStorage };
}

/** Forward substitution of all sources through the factors of a block of targets, down to the scores. */
export class Substitution {
  readonly #context: GpuContext;
  readonly #kernels: SubstitutionKernels;
  readonly #nodes: number;
  readonly #stride: number;
  readonly #outcome: BufferView;
  readonly #solutions: OwnedBuffer;

  /**
   * @param outcome is told of the targets that float64 must look at
   * @param pool keeps the buffers, of the size that the largest block needs
   */
  constructor(
    context: GpuContext,
    kernels: SubstitutionKernels,
    blocks: readonly TargetBlock[],
    shape: { readonly nodes: number; readonly stride: number },
    outcome: BufferView,
    pool: BufferPool,
  ) {
    this.#context = context;
    this.#kernels = kernels;
    this.#nodes = shape.nodes;
    this.#stride = shape.stride;
    this.#outcome = outcome;
    const one = Math.max(
      0,
      ...blocks.map(({ largestSet }) => (largestSet > PRIVATE_SET ? 8 * shape.stride * largestSet : 0)),
    );
    const bytes = Math.max(one, Math.min(SCRATCH_BYTES, 64 * one));
    this.#solutions = pool.keep(createStorage(context, 'forward substitutions', bytes));
  }

  /** Records what writes the scores of a block of targets. */
  async record(
    recorder: PacedRecorder,
    pair: PairOnGpu,
    block: BlockOnGpu,
    sums: BlockSums,
    factors: BufferView,
  ): Promise<void> {
    const [inverse_count_high, inverse_count_low] = pair.inverseCount;
    const { largestSet } = block;
    const stored = largestSet > PRIVATE_SET;
    const operations = OPERATIONS_PER_STEP * this.#nodes * (largestSet ** 2 / 2 + 2 * largestSet + 8);
    const slots = stored ? Math.floor(this.#solutions.size / (8 * this.#stride * largestSet)) : MOST_LAYERS;
    const most = Math.min(slots, this.#context.operationsPerSubmit / operations);
    for (const [first_target, end_target] of ranges(block.targets.length, most)) {
      const params = {
        nodes: this.#nodes,
        stride: this.#stride,
        panel_row: block.panel.row,
        outcome_offset: pair.pair * this.#nodes,
        inverse_count_high,
        inverse_count_low,
        first_target,
        end_target,
        largest_set: largestSet,
        zero: 0,
      };
      const buffers = {
        plan: block.planBuffer,
        moments: pair.moments,
        covariance_rows: sums.covarianceRows,
        sum_xy: sums.sumXY,
        factors,
        outcome: this.#outcome,
        scores: pair.scores[block.panel.index]!,
      };
      const count = [Math.ceil(this.#nodes / WORKGROUP), end_target - first_target, 1] as const;
      const work = operations * (end_target - first_target);
      if (stored) {
        const solutions = this.#solutions;
        await recorder.dispatch(this.#kernels.inStorage!, params, { ...buffers, solutions }, count, work);
      } else {
        await recorder.dispatch(this.#kernels.inPrivate!, params, buffers, count, work);
      }
    }
  }
}
