import { createStorage, type BufferPool, type BufferView, type OwnedBuffer } from '../../../gpu/buffer.ts';
import type { GpuContext } from '../../../gpu/device.ts';
import { compileKernel } from '../../../gpu/kernel.ts';
import type { Recorder } from '../../../gpu/recorder.ts';
import type { BlockOnGpu, BlockSums, PairOnGpu } from './block.ts';
import { WORKGROUP } from './score-kernels.ts';
import {
  PANEL,
  partialKernel,
  partialUpdateKernel,
  UPDATE_MEMBERS,
  UPDATE_PLACES,
} from './partial-kernels.ts';
import {
  solutionBytes,
  substitutionShape,
  substitutionSteps,
  type SubstitutionShape,
  type SubstitutionSize,
} from './substitution-steps.ts';
import type { TargetBlock } from './target-blocks.ts';

/** The kernels that the blocks need; others are not compiled. */
export type SubstitutionKernels = Awaited<ReturnType<typeof compileSubstitutionKernels>>;

/** @throws `gpu-validation`, `device-lost` */
export async function compileSubstitutionKernels(context: GpuContext, blocks: readonly TargetBlock[]) {
  const several = blocks.some(({ largestSet }) => largestSet > PANEL);
  const [solve, update] = await Promise.all([
    compileKernel(context, partialKernel, { WORKGROUP }),
    several ? compileKernel(context, partialUpdateKernel) : undefined,
  ]);
  return { solve, update };
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
   * @param outcome receives the flags of targets that need float64
   * @param pool owns the buffers, which fit the largest block
   */
  constructor(
    context: GpuContext,
    kernels: SubstitutionKernels,
    blocks: readonly TargetBlock[],
    shape: { readonly nodes: number; readonly stride: number },
    { outcome, pool }: { readonly outcome: BufferView; readonly pool: BufferPool },
  ) {
    this.#context = context;
    this.#kernels = kernels;
    this.#nodes = shape.nodes;
    this.#stride = shape.stride;
    this.#outcome = outcome;
    const bytes = blocks.map((block) => solutionBytes(this.#shapeOf(this.#sizeOf(block))));
    this.#solutions = pool.keep(createStorage(context, 'forward substitutions', Math.max(0, ...bytes)));
  }

  /** Records the substitutions and scores of a block of targets. */
  record(recorder: Recorder, pair: PairOnGpu, block: BlockOnGpu, sums: BlockSums, factors: BufferView): void {
    const size = this.#sizeOf(block);
    const shape = this.#shapeOf(size);
    const [inverse_count_high, inverse_count_low] = pair.inverseCount;
    const shared = {
      plan: block.planBuffer,
      covariance_rows: sums.covarianceRows,
      factors,
      solutions: this.#solutions,
    };
    for (const step of substitutionSteps(size, shape, this.#context.operationsPerSubmit)) {
      const [first_target, endTarget] = step.targets;
      const [first_place, endPlace] = step.places;
      const params = {
        nodes: this.#nodes,
        stride: this.#stride,
        panel_row: block.panel.row,
        outcome_offset: pair.pair * this.#nodes,
        inverse_count_high,
        inverse_count_low,
        first_target,
        first_source: step.firstSource,
        quarter: shape.quarter,
        first_place,
        rows: shape.rows,
        first_member: step.firstMember,
        zero: 0,
      };
      const places = endPlace - first_place;
      const targets = endTarget - first_target;
      if (step.kind === 'update') {
        const members = Math.min(PANEL, block.largestSet - step.firstMember);
        const count = [
          Math.ceil(places / UPDATE_PLACES),
          Math.ceil(members / UPDATE_MEMBERS),
          targets,
        ] as const;
        recorder.dispatch(this.#kernels.update!, params, shared, count, step.operations);
      } else {
        const buffers = {
          ...shared,
          moments: pair.moments,
          sum_xy: sums.sumXY,
          outcome: this.#outcome,
          scores: pair.scores[block.panel.index]!,
        };
        const count = [Math.ceil(places / WORKGROUP), 1, targets] as const;
        recorder.dispatch(this.#kernels.solve, params, buffers, count, step.operations);
      }
    }
  }

  #sizeOf({ targets, largestSet }: TargetBlock): SubstitutionSize {
    return { targets: targets.length, largestSet, nodes: this.#nodes };
  }

  #shapeOf(size: SubstitutionSize): SubstitutionShape {
    return substitutionShape(size, this.#context.operationsPerSubmit);
  }
}
