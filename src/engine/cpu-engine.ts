import { MagnitudeEdgeError } from '../errors.ts';
import { scoreStatistics } from '../scores/score-statistics.ts';
import { checkScoreRequest } from '../scores/request.ts';
import type { ScoreMatrices, ScoreRequest } from '../scores/score-matrices.ts';
import { channelNorms } from '../statistics/channel-norms.ts';
import { CpuAccumulator } from '../statistics/cpu-accumulator.ts';
import { copyStatistics } from '../statistics/merge.ts';
import type { SufficientStatistics } from '../statistics/sufficient-statistics.ts';
import { checkChannelBatch, checkMagnitudeBatch, type CheckedChannelBatch } from './check-batch.ts';
import type { ChannelBatch, Engine, EngineDiagnostics, EngineShape, MagnitudeBatch } from './engine.ts';

/**
 * An engine in float64 on the host: the twin that the WebGPU engine is tested against, and the backend where there
 * is no adapter worth using.
 */
export function createCpuEngine(shape: EngineShape): Engine {
  return new CpuEngine(shape);
}

class CpuEngine implements Engine {
  readonly shape: EngineShape;
  readonly diagnostics: EngineDiagnostics = { backend: 'cpu', notes: ['float64, one thread'] };
  #accumulator: CpuAccumulator | undefined;
  #magnitudesX: readonly Float64Array[] = [];
  #magnitudesY: readonly Float64Array[] = [];
  #batches = 0;
  #refusal: MagnitudeEdgeError | undefined;
  #lastCall: Promise<unknown> = Promise.resolve();

  constructor(shape: EngineShape) {
    this.shape = shape;
    this.#accumulator = new CpuAccumulator(shape.nodes, shape.pairs);
  }

  accumulate(batch: ChannelBatch): Promise<void> {
    return this.#inTurn(() => {
      const accumulator = this.#ready();
      const checked = this.#orRefuse(() => checkChannelBatch(this.shape, batch, this.#batches));
      this.#makeRoom(batch.size);
      for (let p = 0; p < this.shape.pairs; p++) {
        this.#norms(checked, checked.activations[p]!, batch.size, this.#magnitudesX[p]!);
        this.#norms(checked, checked.gradients[p]!, batch.size, this.#magnitudesY[p]!);
      }
      accumulator.add(this.#magnitudesX, this.#magnitudesY, batch.size);
      this.#batches++;
    });
  }

  accumulateMagnitudes(batch: MagnitudeBatch): Promise<void> {
    return this.#inTurn(() => {
      const accumulator = this.#ready();
      this.#orRefuse(() => {
        checkMagnitudeBatch(this.shape, batch, this.#batches);
      });
      accumulator.add(batch.x, batch.y, batch.size);
      this.#batches++;
    });
  }

  flush(): Promise<number> {
    return this.#inTurn(() => this.#ready().samples);
  }

  score(request: ScoreRequest): Promise<ScoreMatrices> {
    return this.#inTurn(() => {
      const held = this.#held();
      checkScoreRequest(request, this.shape.nodes, held.samples);
      return scoreStatistics(held.statistics(), request);
    });
  }

  statistics(): Promise<SufficientStatistics> {
    return this.#inTurn(() => copyStatistics(this.#held().statistics()));
  }

  merge(statistics: SufficientStatistics): Promise<void> {
    return this.#inTurn(() => {
      this.#ready().merge(statistics);
    });
  }

  reset(): void {
    this.#held();
    // A new one, so that scores being computed keep the sums they started from.
    this.#accumulator = new CpuAccumulator(this.shape.nodes, this.shape.pairs);
    this.#batches = 0;
    this.#refusal = undefined;
  }

  release(): Promise<void> {
    this.#accumulator = undefined;
    this.#magnitudesX = [];
    this.#magnitudesY = [];
    return Promise.resolve();
  }

  /** Runs one call after the other, however they are made: scores must not see half a batch. */
  #inTurn<T>(work: () => T | Promise<T>): Promise<T> {
    const done = this.#lastCall.then(work);
    this.#lastCall = done.then(ignore, ignore);
    return done;
  }

  #makeRoom(size: number): void {
    const { nodes, pairs } = this.shape;
    if ((this.#magnitudesX[0]?.length ?? 0) >= size * nodes) return;
    this.#magnitudesX = Array.from({ length: pairs }, () => new Float64Array(size * nodes));
    this.#magnitudesY = Array.from({ length: pairs }, () => new Float64Array(size * nodes));
  }

  #norms(checked: CheckedChannelBatch, values: Float32Array, size: number, out: Float64Array): void {
    channelNorms(values, size, checked.channels, checked.channelGroups, this.shape.reduction, out);
  }

  #held(): CpuAccumulator {
    if (this.#accumulator !== undefined) return this.#accumulator;
    throw new MagnitudeEdgeError('released', 'The CPU engine has been released and cannot be used any more.');
  }

  #ready(): CpuAccumulator {
    const accumulator = this.#held();
    if (this.#refusal !== undefined) throw this.#refusal;
    return accumulator;
  }

  /** Remembers a value that was not finite: no later batch may be counted after it. */
  #orRefuse<T>(check: () => T): T {
    try {
      return check();
    } catch (error) {
      if (error instanceof MagnitudeEdgeError && error.code === 'non-finite') this.#refusal = error;
      throw error;
    }
  }
}

function ignore(): void {
  // What a call refused is its caller's to handle; the next call goes on.
}
