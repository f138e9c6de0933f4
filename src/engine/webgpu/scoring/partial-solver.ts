import { createStorage, storageFrom, type BufferPool, type OwnedBuffer } from '../../../gpu/buffer.ts';
import type { GpuContext } from '../../../gpu/device.ts';
import { scoped } from '../../../gpu/error-scope.ts';
import { compileKernel, type KernelOf } from '../../../gpu/kernel.ts';
import { ranges } from '../../../gpu/ranges.ts';
import { Recorder, workgroups } from '../../../gpu/recorder.ts';
import type { SubmitThrottle } from '../../../gpu/submit-throttle.ts';
import type { Panel } from '../statistics/layout.ts';
import type { SumSource } from '../statistics/sum-source.ts';
import type { TargetsRequest } from '../../../scoring/score-matrices.ts';
import { OPERATIONS_PER_COVARIANCE, SCRATCH_BYTES, type BlockOnGpu, type PairOnGpu } from './block.ts';
import { compileFactorKernels, Factors } from './factors.ts';
import { WORKGROUP } from './score-kernels.ts';
import { covarianceRowsKernel, NEEDS_FLOAT64 } from './partial-kernels.ts';
import { compileSubstitutionKernels, Substitution } from './gpu-substitution.ts';
import { largestSet, planTargets, type TargetBlock } from './target-blocks.ts';

type PlannedBlock = TargetBlock & { readonly panel: Panel };
type Kernels = Awaited<ReturnType<typeof compileAll>>;

/** Partial correlations on the GPU for one request: layer pair by layer pair, in blocks of targets. */
export class PartialSolver {
  /** `[P, N]` words; see shaders/shared/targets.wgsl */
  readonly outcome: OwnedBuffer;
  readonly #context: GpuContext;
  readonly #sums: SumSource;
  readonly #toCovariances: KernelOf<typeof covarianceRowsKernel>;
  readonly #blocks: readonly BlockOnGpu[];
  readonly #covarianceRows: OwnedBuffer;
  readonly #factors: Factors;
  readonly #substitution: Substitution;

  private constructor(
    context: GpuContext,
    sums: SumSource,
    request: TargetsRequest,
    pool: BufferPool,
    { blocks, kernels }: { readonly blocks: readonly PlannedBlock[]; readonly kernels: Kernels },
  ) {
    this.#context = context;
    this.#sums = sums;
    this.#toCovariances = kernels.covarianceRows;
    this.#blocks = blocks.map((block) => ({
      ...block,
      planBuffer: pool.keep(storageFrom(context, 'targets', block.plan)),
      rowBuffer: pool.keep(storageFrom(context, 'rows of S_xx', block.rowSources)),
    }));
    const before = outcomeBefore(request, sums, largestSet(context.device.limits, sums.layout.stride));
    this.outcome = pool.keep(storageFrom(context, 'outcome of targets', before));
    const rows = Math.max(0, ...blocks.map(({ rowSources }) => rowSources.length));
    this.#covarianceRows = pool.keep(createStorage(context, 'S_xx', 8 * sums.layout.stride * rows));
    const shape = { ...sums.layout, ridge: request.ridge };
    const own = { outcome: this.outcome, pool };
    this.#factors = new Factors(context, kernels.factors, blocks, shape, own);
    this.#substitution = new Substitution(context, kernels.substitution, blocks, shape, own);
  }

  /**
   * Plans the work and creates its buffers, which `pool` owns.
   *
   * @throws `gpu-validation`, `out-of-memory`, `device-lost`
   */
  static async create(
    context: GpuContext,
    sums: SumSource,
    request: TargetsRequest,
    pool: BufferPool,
  ): Promise<PartialSolver> {
    const { stride, panels } = sums.layout;
    const { conditioningSets, targets } = request;
    const limits = { rows: Math.floor(SCRATCH_BYTES / (8 * stride)), factorElements: SCRATCH_BYTES / 8 };
    const largest = largestSet(context.device.limits, stride);
    const blocks = panels.flatMap((panel) =>
      planTargets(conditioningSets, { ...panel, targets }, limits, largest).map((block) => ({
        ...block,
        panel,
      })),
    );
    const kernels = await compileAll(context, blocks);
    const made = scoped(
      context,
      'partial correlations',
      () => new PartialSolver(context, sums, request, pool, { blocks, kernels }),
    );
    await made.settled;
    return made.result;
  }

  /**
   * Writes the partial correlations of one layer pair to its scores, except for the columns that {@link outcome} marks
   * as unsettled.
   *
   * @param throttle throttle of the request
   * @throws `gpu-validation`, `out-of-memory`, `device-lost`; the reason of the throttle's signal
   */
  async solve(pair: PairOnGpu, throttle: SubmitThrottle): Promise<void> {
    for (const block of this.#blocks) {
      await this.#sums.rowsXX(pair.pair, block.rowSources, this.#covarianceRows, throttle);
      const sums = {
        sumXY: await this.#sums.sumXY(pair.pair, block.panel, throttle),
        covarianceRows: this.#covarianceRows,
      };
      const recorder = new Recorder(this.#context);
      this.#formCovariances(recorder, pair, block);
      this.#factors.record(recorder, pair, block, sums);
      this.#substitution.record(recorder, pair, block, sums, this.#factors.buffer);
      await recorder.submitThrottled('partial correlations', throttle);
    }
  }

  /** Converts rows of X^T X to rows of S_xx, in place. */
  #formCovariances(
    recorder: Recorder,
    { moments, inverseCount: [inverse_count_high, inverse_count_low] }: PairOnGpu,
    { rowBuffer, rowSources }: BlockOnGpu,
  ): void {
    const { stride } = this.#sums.layout;
    const operations = OPERATIONS_PER_COVARIANCE * stride;
    const most = this.#context.operationsPerSubmit / operations;
    for (const [first_row, end_row] of ranges(rowSources.length, most)) {
      recorder.dispatch(
        this.#toCovariances,
        { first_row, end_row, stride, inverse_count_high, inverse_count_low, zero: 0 },
        { row_sources: rowBuffer, moments, covariance_rows: this.#covarianceRows },
        workgroups(Math.ceil(((end_row - first_row) * stride) / WORKGROUP)),
        operations * (end_row - first_row),
      );
    }
  }
}

/** Initial `outcome`: marks targets whose sets are too large for the GPU. */
function outcomeBefore(
  { conditioningSets: { offsets }, targets }: TargetsRequest,
  { layout: { nodes, pairs } }: SumSource,
  largest: number,
): Uint32Array<ArrayBuffer> {
  const outcome = new Uint32Array(pairs * nodes);
  for (const target of targets ?? Array.from({ length: nodes }, (_, every) => every)) {
    if (offsets[target + 1]! - offsets[target]! <= largest) continue;
    for (let p = 0; p < pairs; p++) outcome[p * nodes + target] = NEEDS_FLOAT64;
  }
  return outcome;
}

async function compileAll(context: GpuContext, blocks: readonly TargetBlock[]) {
  const [covarianceRows, factors, substitution] = await Promise.all([
    compileKernel(context, covarianceRowsKernel, { WORKGROUP }),
    compileFactorKernels(context, blocks),
    compileSubstitutionKernels(context, blocks),
  ]);
  return { covarianceRows, factors, substitution };
}
