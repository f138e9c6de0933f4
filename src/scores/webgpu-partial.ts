import { BufferPool, createStorage, storageFrom, type BufferView, type OwnedBuffer } from '../gpu/buffer.ts';
import type { GpuContext } from '../gpu/device.ts';
import { scoped } from '../gpu/error-scope.ts';
import { compileKernel } from '../gpu/kernel.ts';
import { Recorder, workgroups } from '../gpu/recorder.ts';
import type { Panel } from '../statistics/webgpu-layout.ts';
import type { SumSource } from '../statistics/webgpu-sum-source.ts';
import type { TargetsRequest } from './score-matrices.ts';
import {
  choleskyStoredKernel,
  choleskyThreadKernel,
  choleskyWorkgroupKernel,
  covarianceRowsKernel,
  partialPrivateKernel,
  partialStoredKernel,
  PRIVATE_SET,
  THREAD_SET,
  targetCovariancesKernel,
  UNSETTLED,
  WORKGROUP,
  WORKGROUP_SET,
} from './webgpu-kernels.ts';
import { planTargets, type TargetBlock } from './webgpu-targets.ts';

/** Most bytes of one scratch buffer, so that the default binding limit always holds it. */
const SCRATCH_BYTES = 64 * 2 ** 20;

/** Operations of one multiply-add in extended precision. */
const OPERATIONS_PER_STEP = 40;

/** Larger conditioning sets go to the host: their factorisation is too long for one dispatch. */
const LARGEST_SET = 1024;

/** What the kernels read of one layer pair. */
export interface PairOnGpu {
  readonly pair: number;
  readonly moments: OwnedBuffer;
  /** [n] as the reciprocal in two words */
  readonly inverseCount: readonly [high: number, low: number];
  /** `[targets, N]` bits of scores per panel, to be written */
  readonly scores: readonly OwnedBuffer[];
}

interface BlockOnGpu extends TargetBlock {
  readonly panel: Panel;
  readonly planBuffer: OwnedBuffer;
  readonly rowBuffer: OwnedBuffer;
}

type Kernels = Awaited<ReturnType<typeof compileAll>>;

/** Partial correlations on the GPU for one request: block by block of targets, pair by pair. */
export class PartialSolver {
  /** `[P, N]` words; see shaders/shared/targets.wgsl */
  readonly outcome: OwnedBuffer;
  readonly #context: GpuContext;
  readonly #sums: SumSource;
  readonly #kernels: Kernels;
  readonly #ridge: readonly [high: number, low: number];
  readonly #blocks: readonly BlockOnGpu[];
  readonly #covarianceRows: OwnedBuffer;
  readonly #targetCovariances: OwnedBuffer;
  readonly #factors: OwnedBuffer;
  readonly #solutions: OwnedBuffer;

  private constructor(
    context: GpuContext,
    sums: SumSource,
    request: TargetsRequest,
    pool: BufferPool,
    kernels: Kernels,
  ) {
    this.#context = context;
    this.#sums = sums;
    this.#kernels = kernels;
    this.#ridge = twoWords(request.ridge);
    const { nodes, stride, pairs, panels } = sums.layout;
    const { conditioningSets, targets } = request;
    const limits = {
      rows: Math.floor(SCRATCH_BYTES / (8 * stride)),
      factorElements: SCRATCH_BYTES / 8,
      work: context.operationsPerSubmit / OPERATIONS_PER_STEP / nodes,
    };
    this.#blocks = panels.flatMap((panel) =>
      planTargets(conditioningSets, { ...panel, targets }, limits, LARGEST_SET).map((block) => ({
        ...block,
        panel,
        planBuffer: pool.keep(storageFrom(context, 'targets', block.plan)),
        rowBuffer: pool.keep(storageFrom(context, 'rows of S_xx', block.rowSources)),
      })),
    );
    const most = (count: (block: TargetBlock) => number): number => Math.max(0, ...this.#blocks.map(count));
    const create = (label: string, bytes: number): OwnedBuffer =>
      pool.keep(createStorage(context, label, bytes));
    this.#covarianceRows = create('S_xx', 8 * stride * most(({ rowSources }) => rowSources.length));
    this.#targetCovariances = create('S_xy', 8 * most(({ members }) => members));
    this.#factors = create('Cholesky factors', 8 * most((block) => block.factorElements));
    const solution = most(({ largestSet }) => (largestSet > PRIVATE_SET ? 8 * stride * largestSet : 0));
    this.#solutions = create(
      'forward substitutions',
      Math.max(solution, Math.min(SCRATCH_BYTES, 64 * solution)),
    );
    const outcome = new Uint32Array(pairs * nodes);
    for (const target of targets ?? Array.from({ length: nodes }, (_, every) => every)) {
      const size = conditioningSets.offsets[target + 1]! - conditioningSets.offsets[target]!;
      if (size <= LARGEST_SET) continue;
      for (let p = 0; p < pairs; p++) outcome[p * nodes + target] = UNSETTLED;
    }
    this.outcome = pool.keep(storageFrom(context, 'outcome of targets', outcome));
  }

  /**
   * Lays the work out; buffers are kept in `pool`.
   *
   * @throws `gpu-validation`, `out-of-memory`, `device-lost`
   */
  static async create(
    context: GpuContext,
    sums: SumSource,
    request: TargetsRequest,
    pool: BufferPool,
  ): Promise<PartialSolver> {
    const kernels = await compileAll(context);
    const made = scoped(
      context,
      'partial correlations',
      () => new PartialSolver(context, sums, request, pool, kernels),
    );
    await made.settled;
    return made.result;
  }

  /**
   * Writes the partial correlations of one layer pair to its scores, but for the columns that {@link outcome} marks
   * as unsettled. Throws the signal's reason, between two submits, once it is aborted.
   */
  async solve(pair: PairOnGpu, signal: AbortSignal | undefined): Promise<void> {
    for (const block of this.#blocks) {
      signal?.throwIfAborted();
      await this.#sums.linesXX(pair.pair, block.rowSources, this.#covarianceRows);
      const sumXY = await this.#sums.sumXY(pair.pair, block.panel);
      const recorder = new Recorder(this.#context);
      this.#factor(recorder, pair, block, sumXY);
      this.#substitute(recorder, pair, block, sumXY);
      await recorder.submit('partial correlations');
      if (this.#blocks.length > 1) await this.#context.device.queue.onSubmittedWorkDone();
    }
  }

  #factor(
    recorder: Recorder,
    { pair, moments, inverseCount }: PairOnGpu,
    block: BlockOnGpu,
    sum_xy: BufferView,
  ): void {
    const { nodes, stride } = this.#sums.layout;
    const [inverse_count_high, inverse_count_low] = inverseCount;
    const rows = block.rowSources.length;
    const targets = block.targets.length;
    const common = { stride, inverse_count_high, inverse_count_low, zero: 0 };
    recorder.dispatch(
      this.#kernels.covarianceRows,
      { ...common, rows },
      { row_sources: block.rowBuffer, moments, covariance_rows: this.#covarianceRows },
      workgroups(Math.ceil((rows * stride) / WORKGROUP)),
    );
    recorder.dispatch(
      this.#kernels.targetCovariances,
      { ...common, panel_row: block.panel.row, targets },
      { plan: block.planBuffer, moments, sum_xy, target_covariances: this.#targetCovariances },
      [Math.ceil(targets / WORKGROUP), 1, 1],
    );
    const [ridge_high, ridge_low] = this.#ridge;
    const { kernel, threads } = this.#choleskyFor(block);
    recorder.dispatch(
      kernel,
      { nodes, stride, outcome_offset: pair * nodes, ridge_high, ridge_low, targets, zero: 0 },
      {
        plan: block.planBuffer,
        moments,
        covariance_rows: this.#covarianceRows,
        target_covariances: this.#targetCovariances,
        factors: this.#factors,
        outcome: this.outcome,
      },
      workgroups(Math.ceil((targets * threads) / WORKGROUP)),
    );
  }

  /** What factors the sets of a block, and with how many threads each. */
  #choleskyFor({ largestSet }: TargetBlock) {
    const { choleskyThread, choleskyWorkgroup, choleskyStored } = this.#kernels;
    if (largestSet <= THREAD_SET) return { kernel: choleskyThread, threads: 1 };
    return { kernel: largestSet <= WORKGROUP_SET ? choleskyWorkgroup : choleskyStored, threads: WORKGROUP };
  }

  #substitute(recorder: Recorder, pair: PairOnGpu, block: BlockOnGpu, sumXY: BufferView): void {
    const { stride } = this.#sums.layout;
    const stored = block.largestSet > PRIVATE_SET;
    const slots = stored ? Math.floor(this.#solutions.size / (8 * stride * block.largestSet)) : MOST_SLOTS;
    for (let first = 0; first < block.targets.length; first += slots) {
      const end = Math.min(first + slots, block.targets.length);
      this.#substituteSlots(recorder, pair, block, sumXY, first, end);
    }
  }

  #substituteSlots(
    recorder: Recorder,
    pair: PairOnGpu,
    block: BlockOnGpu,
    sum_xy: BufferView,
    first_target: number,
    end_target: number,
  ): void {
    const { nodes, stride } = this.#sums.layout;
    const [inverse_count_high, inverse_count_low] = pair.inverseCount;
    const params = {
      nodes,
      stride,
      panel_row: block.panel.row,
      outcome_offset: pair.pair * nodes,
      inverse_count_high,
      inverse_count_low,
      first_target,
      end_target,
      largest_set: block.largestSet,
      zero: 0,
    };
    const buffers = {
      plan: block.planBuffer,
      moments: pair.moments,
      covariance_rows: this.#covarianceRows,
      sum_xy,
      factors: this.#factors,
      outcome: this.outcome,
      scores: pair.scores[block.panel.index]!,
    };
    const count = [Math.ceil(nodes / WORKGROUP), end_target - first_target, 1] as const;
    const { partialPrivate, partialStored } = this.#kernels;
    if (block.largestSet > PRIVATE_SET) {
      recorder.dispatch(partialStored, params, { ...buffers, solutions: this.#solutions }, count);
    } else {
      recorder.dispatch(partialPrivate, params, buffers, count);
    }
  }
}

/** Workgroups in y of one dispatch. */
const MOST_SLOTS = 65_535;

/** A float64 as two float32 whose sum it is, to 48 bits. */
export function twoWords(value: number): readonly [high: number, low: number] {
  const high = Math.fround(value);
  return [high, Math.fround(value - high)];
}

async function compileAll(context: GpuContext) {
  const constants = { WORKGROUP };
  const [
    covarianceRows,
    targetCovariances,
    choleskyThread,
    choleskyWorkgroup,
    choleskyStored,
    partialPrivate,
    partialStored,
  ] = await Promise.all([
    compileKernel(context, covarianceRowsKernel, constants),
    compileKernel(context, targetCovariancesKernel, constants),
    compileKernel(context, choleskyThreadKernel, constants),
    compileKernel(context, choleskyWorkgroupKernel, constants),
    compileKernel(context, choleskyStoredKernel, constants),
    compileKernel(context, partialPrivateKernel, constants),
    compileKernel(context, partialStoredKernel, constants),
  ]);
  return {
    covarianceRows,
    targetCovariances,
    choleskyThread,
    choleskyWorkgroup,
    choleskyStored,
    partialPrivate,
    partialStored,
  };
}
