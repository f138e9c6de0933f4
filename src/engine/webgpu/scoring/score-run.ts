import { BufferPool, createStorage, type OwnedBuffer } from '../../../gpu/buffer.ts';
import type { GpuContext } from '../../../gpu/device.ts';
import { scoped } from '../../../gpu/error-scope.ts';
import { compileKernel } from '../../../gpu/kernel.ts';
import { readBack } from '../../../gpu/readback.ts';
import { ranges } from '../../../gpu/ranges.ts';
import { Recorder, workgroups } from '../../../gpu/recorder.ts';
import type { SubmitThrottle } from '../../../gpu/submit-throttle.ts';
import { createYielder } from '../../../statistics/yielder.ts';
import { quantityOf } from '../statistics/layout.ts';
import type { SumSource } from '../statistics/sum-source.ts';
import { flagsAfter, NODE_FLAG } from '../../../scoring/node-flags.ts';
import type { ScoreRequest, TargetsRequest } from '../../../scoring/score-matrices.ts';
import { doubleSingle } from './block.ts';
import { aggregateKernel, momentsKernel, pearsonKernel, WORKGROUP } from './score-kernels.ts';
import { PartialSolver } from './partial-solver.ts';
import { NEEDS_FLOAT64 } from './partial-kernels.ts';
import type { ScoreStorage } from './score-storage.ts';
import { Float64Fallback } from './float64-fallback.ts';

/** Sums on the GPU. */
interface ScoredSums {
  readonly sums: SumSource;
  /** n, samples behind them */
  readonly samples: number;
}

/**
 * Scores of all ordered pairs from the sums on the GPU (method.md), in float32; they stay there. Columns for which
 * extended precision does not suffice (a conditioning set or a remainder near singular) are computed in float64 on the
 * host from the sums that they need.
 *
 * @param storage receives the scores; must already hold those of targets that are not requested
 * @param throttle throttle of the request, with its signal
 * @throws `gpu-validation`, `out-of-memory`, `device-lost`; the signal's reason
 */
export async function scoreOnGpu(
  context: GpuContext,
  from: ScoredSums,
  request: TargetsRequest,
  storage: ScoreStorage,
  throttle: SubmitThrottle,
): Promise<void> {
  request.signal?.throwIfAborted();
  const scratch = new BufferPool();
  try {
    const run = await ScoreRun.create({
      context,
      ...from,
      request,
      scores: storage,
      throttle,
      pool: scratch,
    });
    if (request.targets?.length !== 0) {
      for (let p = 0; p < from.sums.layout.pairs; p++) await run.scorePair(p);
      await run.drain();
      storage.nodeFlags = flagsAfter(storage.nodeFlags, await run.nodeFlags(), request.targets);
    }
    await run.aggregate();
  } finally {
    scratch.destroy();
  }
}

type Kernels = Awaited<ReturnType<typeof compileAll>>;

/** Inputs of one request. */
interface RunSettings extends ScoredSums {
  readonly context: GpuContext;
  readonly request: TargetsRequest;
  readonly scores: ScoreStorage;
  readonly throttle: SubmitThrottle;
  /** Owns the scratch buffers */
  readonly pool: BufferPool;
}

/** Buffers and kernels of one request. */
class ScoreRun {
  readonly #context: GpuContext;
  readonly #sums: SumSource;
  readonly #samples: number;
  readonly #request: TargetsRequest;
  readonly #throttle: SubmitThrottle;
  readonly #scores: ScoreStorage;
  readonly #kernels: Kernels;
  readonly #solver: PartialSolver | undefined;
  readonly #inverseCount: readonly [high: number, low: number];
  readonly #floor: ReturnType<typeof floorParams>;
  readonly #moments: OwnedBuffer;
  /** `[x or y, stride]`, see shaders/moments.wgsl */
  readonly #constants: OwnedBuffer;
  /** Targets whose sets are singular in some layer pair */
  readonly #singular = new Set<number>();
  /** Diagonal of X^T X, if the score needs it */
  readonly #diagonal: OwnedBuffer;
  /** Numbers of scores aggregated so far, one buffer per panel */
  readonly #counts: readonly OwnedBuffer[];

  private constructor(
    { context, sums, samples, request, scores, throttle, pool }: RunSettings,
    kernels: Kernels,
    solver: PartialSolver | undefined,
  ) {
    this.#context = context;
    this.#sums = sums;
    this.#samples = samples;
    this.#request = request;
    this.#throttle = throttle;
    this.#scores = scores;
    this.#kernels = kernels;
    this.#solver = solver;
    this.#inverseCount = doubleSingle(1 / samples);
    this.#floor = floorParams(request.varianceFloor);
    const { nodes, stride, panels } = sums.layout;
    const create = (label: string, bytes: number): OwnedBuffer =>
      pool.keep(createStorage(context, label, bytes));
    this.#moments = create('moments', 2 * stride * MOMENT_BYTES);
    this.#constants = create('constant nodes', 4 * 2 * stride);
    this.#diagonal = create('diagonal of X^T X', 8 * stride);
    this.#counts = panels.map(({ rows }) => create('counts', 4 * rows * nodes));
  }

  static async create(settings: RunSettings): Promise<ScoreRun> {
    const { context, sums, request, pool } = settings;
    const kernels = await compileAll(context, request);
    const solver =
      request.score === 'partial' ? await PartialSolver.create(context, sums, request, pool) : undefined;
    const made = scoped(context, 'the scores', () => new ScoreRun(settings, kernels, solver));
    await made.settled;
    return made.result;
  }

  /** Scores one layer pair. */
  async scorePair(pair: number): Promise<void> {
    if (this.#solver === undefined) {
      await this.#findMoments(pair);
      await this.#correlate(pair);
    } else {
      await this.#sums.diagonalXX(pair, this.#diagonal, this.#throttle);
      await this.#findMoments(pair);
      const scores = this.#scores.perPair[pair]!;
      const onGpu = { moments: this.#moments, inverseCount: this.#inverseCount, scores };
      await this.#solver.solve({ pair, ...onGpu }, this.#throttle);
    }
  }

  /** After every pair has been scored, computes in float64 the columns that the kernels left unsettled. */
  async drain(): Promise<void> {
    if (this.#solver === undefined) return;
    const yielder = createYielder(this.#request.signal);
    const { nodes, pairs } = this.#sums.layout;
    const [bytes] = await readBack(this.#context, [this.#solver.outcome]);
    const outcome = new Uint32Array(bytes!);
    let fallback: Float64Fallback | undefined;
    for (let p = 0; p < pairs; p++) {
      const unsettled = range(nodes).filter((target) => (outcome[p * nodes + target]! & NEEDS_FLOAT64) !== 0);
      if (unsettled.length === 0) continue;
      fallback ??= new Float64Fallback(this.#context, this.#sums, this.#samples, this.#throttle);
      await fallback.score(p, unsettled, this.#request, (target, column, singular) => {
        if (singular) this.#singular.add(target);
        this.#scores.writeTarget(p, target, Float32Array.from(column));
        return yielder();
      });
    }
  }

  /** Reasons why nodes have no scores, over all layer pairs scored; see {@link NODE_FLAG}. */
  async nodeFlags(): Promise<Uint8Array> {
    const { nodes, stride } = this.#sums.layout;
    const [bytes] = await readBack(this.#context, [this.#constants]);
    const constants = new Uint32Array(bytes!);
    return Uint8Array.from(
      { length: nodes },
      (_, node) =>
        constants[node]! * NODE_FLAG.constantSource +
        constants[stride + node]! * NODE_FLAG.constantTarget +
        Number(this.#singular.has(node)) * NODE_FLAG.singularSet,
    );
  }

  /** Aggregates the layer pairs, after all of them have been scored. */
  async aggregate(): Promise<void> {
    const { nodes, pairs, panels } = this.#sums.layout;
    const recorder = new Recorder(this.#context);
    const most = this.#context.operationsPerSubmit / AGGREGATION_OPERATIONS;
    for (let p = 0; p < pairs; p++) {
      for (const { index, rows } of panels) {
        for (const [first_element, end_element] of ranges(rows * nodes, most)) {
          recorder.dispatch(
            this.#kernels.aggregate,
            { first_element, end_element, first: Number(p === 0), last: Number(p === pairs - 1), zero: 0 },
            {
              scores: this.#scores.perPair[p]![index]!,
              aggregate: this.#scores.aggregated[index]!,
              counts: this.#counts[index]!,
            },
            workgroups(Math.ceil((end_element - first_element) / WORKGROUP)),
            AGGREGATION_OPERATIONS * (end_element - first_element),
          );
        }
      }
    }
    await recorder.submitThrottled('aggregated scores', this.#throttle);
  }

  #findMoments(pair: number): Promise<void> {
    const { stride } = this.#sums.layout;
    const [inverse_count_high, inverse_count_low] = this.#inverseCount;
    const { pivots, columnSums: column_sums } = this.#sums;
    const recorder = new Recorder(this.#context).dispatch(
      this.#kernels.moments,
      {
        stride,
        quantity_x: quantityOf.x(pair),
        quantity_y: quantityOf.y(pair),
        inverse_count_high,
        inverse_count_low,
        ...this.#floor,
        zero: 0,
      },
      {
        pivots,
        column_sums,
        diagonal: this.#diagonal,
        moments: this.#moments,
        constants: this.#constants,
      },
      [Math.ceil(stride / WORKGROUP), 1, 2],
      2 * stride * CORRELATION_OPERATIONS,
    );
    return recorder.submitThrottled('moments', this.#throttle);
  }

  async #correlate(pair: number): Promise<void> {
    const { nodes, stride, panels } = this.#sums.layout;
    const [inverse_count_high, inverse_count_low] = this.#inverseCount;
    for (const panel of panels) {
      const sum_xy = await this.#sums.sumXY(pair, panel, this.#throttle);
      const recorder = new Recorder(this.#context);
      const most = this.#context.operationsPerSubmit / (nodes * CORRELATION_OPERATIONS);
      for (const [first_row, end_row] of ranges(panel.rows, most)) {
        recorder.dispatch(
          this.#kernels.pearson,
          {
            nodes,
            stride,
            panel_row: panel.row,
            first_row,
            end_row,
            inverse_count_high,
            inverse_count_low,
            zero: 0,
          },
          { moments: this.#moments, sum_xy, scores: this.#scores.perPair[pair]![panel.index]! },
          workgroups(Math.ceil(((end_row - first_row) * nodes) / WORKGROUP)),
          CORRELATION_OPERATIONS * nodes * (end_row - first_row),
        );
      }
      await recorder.submitThrottled('correlations', this.#throttle);
    }
  }
}

/** Cost of one element's aggregation, for the size of submits: it moves 20 bytes, at ten operations per byte. */
const AGGREGATION_OPERATIONS = 200;

/** Operations of one correlation: some two hundred to convert its sum to units and divide. */
const CORRELATION_OPERATIONS = 250;

/** Size of `Moment` in shaders/shared/moments.wgsl. */
const MOMENT_BYTES = 40;

/** The variance floor as shaders/moments.wgsl expects it: two words for a number from 1 to 2, and a power of two. */
function floorParams(varianceFloor: number | undefined) {
  const floor = varianceFloor ?? 0;
  const exponent = floor === 0 ? 0 : Math.floor(Math.log2(floor));
  // In two steps, so that neither power leaves float64 if the floor is tiny.
  const half = Math.trunc(exponent / 2);
  const [floor_high, floor_low] = doubleSingle(floor * 2 ** -half * 2 ** (half - exponent));
  return { has_floor: Number(varianceFloor !== undefined), floor_high, floor_low, floor_exponent: exponent };
}

function range(length: number): number[] {
  return Array.from({ length }, (_, index) => index);
}

async function compileAll(context: GpuContext, { score, layerAgg }: ScoreRequest) {
  const [moments, pearson, aggregate] = await Promise.all([
    compileKernel(context, momentsKernel, { WORKGROUP, FROM_DIAGONAL: score === 'partial' ? 1 : 0 }),
    compileKernel(context, pearsonKernel, { WORKGROUP }),
    compileKernel(context, aggregateKernel, { WORKGROUP, LARGEST: layerAgg === 'max' ? 1 : 0 }),
  ]);
  return { moments, pearson, aggregate };
}
