import { BufferPool, createStorage, storageFrom, type OwnedBuffer } from '../gpu/buffer.ts';
import type { GpuContext } from '../gpu/device.ts';
import { scoped } from '../gpu/error-scope.ts';
import { compileKernel } from '../gpu/kernel.ts';
import { readBack } from '../gpu/readback.ts';
import { Recorder, workgroups } from '../gpu/recorder.ts';
import { DIAGONAL } from '../statistics/webgpu-kernels.ts';
import { quantityOf } from '../statistics/webgpu-layout.ts';
import type { SumSource } from '../statistics/webgpu-sum-source.ts';
import { aggregatePairs } from './aggregate.ts';
import { checkScoreRequest } from './request.ts';
import type { ScoreMatrices, ScoreRequest } from './score-matrices.ts';
import { aggregateKernel, momentsKernel, pearsonKernel, UNSETTLED, WORKGROUP } from './webgpu-kernels.ts';
import { ColumnSettler } from './webgpu-settle.ts';
import { PartialSolver, twoWords } from './webgpu-partial.ts';

/**
 * Scores of all ordered pairs from the sums on the GPU (method.md), in float32, new arrays owned by the caller.
 * Columns that extended precision does not settle (a conditioning set or a remainder near singular) are computed in
 * float64 on the host from a copy of the sums.
 *
 * @param samples n, samples behind the sums
 * @throws as `checkScoreRequest`; `gpu-validation`, `out-of-memory`, `device-lost`; the signal's reason
 */
export async function scoreOnGpu(
  context: GpuContext,
  sums: SumSource,
  samples: number,
  request: ScoreRequest,
): Promise<ScoreMatrices> {
  const { nodes, pairs } = sums.layout;
  checkScoreRequest(request, nodes, samples);
  request.signal?.throwIfAborted();
  const pool = new BufferPool();
  try {
    const run = await ScoreRun.create(context, sums, samples, request, pool);
    const perPair: Float32Array[] = [];
    for (let p = 0; p < pairs; p++) perPair.push(await run.scorePair(p));
    const aggregated = await run.aggregated();
    const matrices = { nodes, aggregated, perPair };
    await run.settle(matrices);
    return matrices;
  } finally {
    pool.destroy();
  }
}

type Kernels = Awaited<ReturnType<typeof compileAll>>;

/** Buffers and kernels of one request. */
class ScoreRun {
  readonly #context: GpuContext;
  readonly #sums: SumSource;
  readonly #samples: number;
  readonly #request: ScoreRequest;
  readonly #kernels: Kernels;
  readonly #solver: PartialSolver | undefined;
  readonly #inverseCount: readonly [high: number, low: number];
  readonly #moments: OwnedBuffer;
  /** Of X^T X, where the score needs it */
  readonly #diagonal: OwnedBuffer;
  /** {@link DIAGONAL} alone, as a list of lines */
  readonly #diagonalLine: OwnedBuffer;
  /** Row-major `[targets, N sources]`, one per panel */
  readonly #scores: readonly OwnedBuffer[];
  readonly #aggregate: readonly OwnedBuffer[];
  readonly #counts: readonly OwnedBuffer[];

  private constructor(
    context: GpuContext,
    sums: SumSource,
    samples: number,
    request: ScoreRequest,
    pool: BufferPool,
    kernels: Kernels,
    solver: PartialSolver | undefined,
  ) {
    this.#context = context;
    this.#sums = sums;
    this.#samples = samples;
    this.#request = request;
    this.#kernels = kernels;
    this.#solver = solver;
    this.#inverseCount = twoWords(1 / samples);
    const { nodes, stride, panels } = sums.layout;
    const create = (label: string, bytes: number): OwnedBuffer =>
      pool.keep(createStorage(context, label, bytes));
    this.#moments = create('moments', 2 * stride * MOMENT_BYTES);
    this.#diagonal = create('diagonal of X^T X', 8 * stride);
    this.#diagonalLine = pool.keep(storageFrom(context, 'lines', Uint32Array.of(DIAGONAL)));
    const matrix = (label: string): OwnedBuffer[] =>
      panels.map(({ rows }) => create(label, 4 * rows * nodes));
    this.#scores = matrix('scores');
    this.#aggregate = matrix('aggregate');
    this.#counts = matrix('counts');
  }

  static async create(
    context: GpuContext,
    sums: SumSource,
    samples: number,
    request: ScoreRequest,
    pool: BufferPool,
  ): Promise<ScoreRun> {
    const kernels = await compileAll(context, request);
    const solver =
      request.score === 'partial' ? await PartialSolver.create(context, sums, request, pool) : undefined;
    const made = scoped(
      context,
      'the scores',
      () => new ScoreRun(context, sums, samples, request, pool, kernels, solver),
    );
    await made.settled;
    return made.result;
  }

  /** Scores one layer pair, takes it into the aggregate, and copies it to the host. Pairs must come in order. */
  async scorePair(pair: number): Promise<Float32Array> {
    const { signal } = this.#request;
    signal?.throwIfAborted();
    const recorder = new Recorder(this.#context);
    if (this.#solver !== undefined) {
      await this.#sums.linesXX(pair, this.#diagonalLine, 1, this.#diagonal);
    }
    this.#findMoments(recorder, pair);
    if (this.#solver === undefined) {
      await this.#correlate(recorder, pair);
    } else {
      await recorder.submit('moments');
      const onGpu = { moments: this.#moments, inverseCount: this.#inverseCount, scores: this.#scores };
      await this.#solver.solve({ pair, ...onGpu }, signal);
    }
    this.#takeIntoAggregate(recorder, pair);
    await recorder.submit('scores');
    return this.#readMatrix(this.#scores);
  }

  /** The aggregate, once every pair has been scored. */
  aggregated(): Promise<Float32Array> {
    return this.#readMatrix(this.#aggregate);
  }

  /** Computes the columns that the kernels left unsettled in float64, and aggregates them anew. */
  async settle(matrices: {
    nodes: number;
    aggregated: Float32Array;
    perPair: Float32Array[];
  }): Promise<void> {
    if (this.#solver === undefined) return;
    const { conditioningSets: sets, ridge, layerAgg, signal } = this.#request;
    const { nodes, aggregated, perPair } = matrices;
    const [bytes] = await readBack(this.#context, [this.#solver.outcome]);
    const outcome = new Uint32Array(bytes!);
    const touched = new Set<number>();
    let settler: ColumnSettler | undefined;
    for (const [p, scores] of perPair.entries()) {
      const unsettled = range(nodes).filter((target) => (outcome[p * nodes + target]! & UNSETTLED) !== 0);
      if (unsettled.length === 0) continue;
      signal?.throwIfAborted();
      settler ??= new ColumnSettler(this.#context, this.#sums, this.#samples);
      await settler.settle(p, unsettled, sets, ridge, (target, column) => {
        column.forEach((score, source) => {
          scores[source * nodes + target] = score;
        });
        touched.add(target);
      });
    }
    for (const target of touched) {
      for (let at = target; at < aggregated.length; at += nodes) {
        aggregatePairs(perPair, layerAgg, at, at + 1, aggregated);
      }
    }
  }

  #findMoments(recorder: Recorder, pair: number): void {
    const { stride } = this.#sums.layout;
    const [inverse_count_high, inverse_count_low] = this.#inverseCount;
    const { pivots, columnSums: column_sums } = this.#sums;
    recorder.dispatch(
      this.#kernels.moments,
      {
        stride,
        quantity_x: quantityOf.x(pair),
        quantity_y: quantityOf.y(pair),
        inverse_count_high,
        inverse_count_low,
        zero: 0,
      },
      { pivots, column_sums, diagonal: this.#diagonal, moments: this.#moments },
      [Math.ceil(stride / WORKGROUP), 1, 2],
    );
  }

  async #correlate(recorder: Recorder, pair: number): Promise<void> {
    const { nodes, stride, panels } = this.#sums.layout;
    const [inverse_count_high, inverse_count_low] = this.#inverseCount;
    for (const panel of panels) {
      const sum_xy = await this.#sums.sumXY(pair, panel);
      recorder.dispatch(
        this.#kernels.pearson,
        {
          nodes,
          stride,
          panel_row: panel.row,
          panel_rows: panel.rows,
          inverse_count_high,
          inverse_count_low,
          zero: 0,
        },
        {
          moments: this.#moments,
          sum_xy,
          scores: this.#scores[panel.index]!,
        },
        workgroups(Math.ceil((panel.rows * nodes) / WORKGROUP)),
      );
      await recorder.submit('correlations');
    }
  }

  #takeIntoAggregate(recorder: Recorder, pair: number): void {
    const { nodes, pairs, panels } = this.#sums.layout;
    for (const { index, rows } of panels) {
      const elements = rows * nodes;
      recorder.dispatch(
        this.#kernels.aggregate,
        { elements, first: Number(pair === 0), last: Number(pair === pairs - 1), zero: 0 },
        { scores: this.#scores[index]!, aggregate: this.#aggregate[index]!, counts: this.#counts[index]! },
        workgroups(Math.ceil(elements / WORKGROUP)),
      );
    }
  }

  /** Reads panels back as one `[N sources, N targets]` matrix. */
  async #readMatrix(buffers: readonly OwnedBuffer[]): Promise<Float32Array> {
    const { nodes, panels } = this.#sums.layout;
    const matrix = new Float32Array(nodes * nodes);
    for (const { index, row, rows } of panels) {
      const targets = Math.min(rows, nodes - row);
      const [bytes] = await readBack(this.#context, [{ ...buffers[index]!, size: 4 * nodes * targets }]);
      transpose(new Float32Array(bytes!), targets, nodes, matrix, row);
    }
    return matrix;
  }
}

/** Size of `Moment` in shaders/shared/moments.wgsl. */
const MOMENT_BYTES = 32;

/** Writes rows of targets to a matrix of sources, `first` being the target of the first row; in tiles, for the cache. */
function transpose(
  rows: Float32Array,
  targets: number,
  nodes: number,
  matrix: Float32Array,
  first: number,
): void {
  const tile = 32;
  for (let top = 0; top < targets; top += tile) {
    const bottom = Math.min(top + tile, targets);
    for (let source = 0; source < nodes; source++) {
      const to = source * nodes + first;
      for (let target = top; target < bottom; target++) matrix[to + target] = rows[target * nodes + source]!;
    }
  }
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
