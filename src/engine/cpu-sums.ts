import { createPacer } from '../statistics/pacer.ts';
import { scorePairs } from '../scores/score-statistics.ts';
import { MagnitudeEdgeError } from '../errors.ts';
import type { ScoreRequest } from '../scores/score-matrices.ts';
import { channelNorms } from '../statistics/channel-norms.ts';
import { CpuAccumulator } from '../statistics/cpu-accumulator.ts';
import { copyStatistics } from '../statistics/merge.ts';
import type { SufficientStatistics } from '../statistics/sufficient-statistics.ts';
import type { EngineShape, MagnitudeBatch } from './engine.ts';

/** Channel values on the host that have been checked: P entries each, row-major `[size, channels]`. */
export interface HostChannelBatch {
  readonly size: number;
  readonly activations: readonly Float32Array[];
  readonly gradients: readonly Float32Array[];
}

/**
 * The sums behind a CPU engine, wherever they are kept. Batches have been checked when they come here, and calls do
 * not overlap, but for `reset` and `release`.
 */
export interface CpuSums {
  /** n, samples handed in */
  readonly samples: number;
  /** How the work is done, in words */
  readonly note: string;
  addChannels(batch: HostChannelBatch): void | Promise<void>;
  addMagnitudes(batch: MagnitudeBatch): void | Promise<void>;
  /** Waits until all batches handed in are part of the sums. */
  settle(): void | Promise<void>;
  /** One new matrix of scores per layer pair. */
  scores(request: ScoreRequest): Promise<Float64Array[]>;
  /** A copy, owned by the caller. */
  statistics(): SufficientStatistics | Promise<SufficientStatistics>;
  /** `statistics` must be of the same shape. */
  merge(statistics: SufficientStatistics): void | Promise<void>;
  reset(): void;
  release(): void;
}

/** Sums on the calling thread. Making them throws `out-of-memory` where they find no room. */
export class LocalSums implements CpuSums {
  readonly #shape: EngineShape;
  #accumulator: CpuAccumulator;
  #magnitudesX: readonly Float64Array[] = [];
  #magnitudesY: readonly Float64Array[] = [];

  constructor(shape: EngineShape) {
    this.#shape = shape;
    this.#accumulator = createAccumulator(shape);
  }

  get samples(): number {
    return this.#accumulator.samples;
  }

  /** What the products run on, in words */
  get products(): string {
    return this.#accumulator.products;
  }

  get note(): string {
    return `float64, ${this.products}, one thread`;
  }

  addChannels({ size, activations, gradients }: HostChannelBatch): void {
    this.#makeRoom(size);
    for (let p = 0; p < this.#shape.pairs; p++) {
      this.#norms(activations[p]!, size, this.#magnitudesX[p]!);
      this.#norms(gradients[p]!, size, this.#magnitudesY[p]!);
    }
    this.#accumulator.add(this.#magnitudesX, this.#magnitudesY, size);
  }

  addMagnitudes({ x, y, size }: MagnitudeBatch): void {
    this.#accumulator.add(x, y, size);
  }

  settle(): void {
    // Nothing waits: every batch is part of the sums when its call returns.
  }

  scores(request: ScoreRequest): Promise<Float64Array[]> {
    return scorePairs(this.#accumulator.statistics(), request, createPacer(request.signal));
  }

  statistics(): SufficientStatistics {
    return copyStatistics(this.#accumulator.statistics());
  }

  merge(statistics: SufficientStatistics): void {
    this.#accumulator.merge(statistics);
  }

  reset(): void {
    // A new one, so that scores being computed keep the sums they started from.
    this.#accumulator = createAccumulator(this.#shape);
  }

  release(): void {
    // The engine lets go of the sums, and with them of all that they hold.
  }

  #makeRoom(size: number): void {
    const { nodes, pairs } = this.#shape;
    if ((this.#magnitudesX[0]?.length ?? 0) >= size * nodes) return;
    this.#magnitudesX = Array.from({ length: pairs }, () => new Float64Array(size * nodes));
    this.#magnitudesY = Array.from({ length: pairs }, () => new Float64Array(size * nodes));
  }

  #norms(values: Float32Array, size: number, out: Float64Array): void {
    const { channels, channelGroups, reduction } = this.#shape;
    channelNorms(values, size, channels!, channelGroups!, reduction, out);
  }
}

function createAccumulator({ nodes, pairs }: EngineShape): CpuAccumulator {
  try {
    return new CpuAccumulator(nodes, pairs);
  } catch (cause) {
    // What engines throw for an array that finds no room.
    if (!(cause instanceof RangeError)) throw cause;
    const bytes = 2 * 8 * pairs * nodes ** 2;
    throw new MagnitudeEdgeError(
      'out-of-memory',
      `The sums of ${nodes} function nodes and ${pairs} layer pairs need ${bytes} bytes and found no room.`,
      { details: { nodes, pairs, bytes }, cause },
    );
  }
}
