import type { MagnitudeEdgeError } from '../../errors.ts';
import type { ScoreThreads } from '../../ranking/ranking-work.ts';
import { channelNorms } from '../../statistics/channel-norms.ts';
import { CpuAccumulator, sumsBytes, type Plan } from '../../statistics/cpu-accumulator.ts';
import { createYielder, runYielding } from '../../statistics/yielder.ts';
import { chunkedBlockKernel } from '../../statistics/chunked-blocks.ts';
import { TiledMatmul } from '../../statistics/tiled-matmul.ts';
import type { SufficientStatistics } from '../../statistics/sufficient-statistics.ts';
import { LocalSnapshot } from './local-snapshot.ts';
import type { CpuSnapshot } from './snapshot.ts';
import type { EngineShape, MagnitudeBatch, Precision } from '../engine.ts';
import { withOutOfMemoryError } from '../with-out-of-memory-error.ts';

/** Checked channel values on the host: P entries each, row-major `[size, channels]`. */
export interface HostChannelBatch {
  readonly size: number;
  readonly activations: readonly Float32Array[];
  readonly gradients: readonly Float32Array[];
  readonly transferable?: boolean | undefined;
}

/** Shape, memory limit and precision of sums. */
export interface SumsShape extends EngineShape {
  /** Bytes that the sums of these layer pairs may take, see {@link CpuAccumulator} */
  readonly memory: number;
  /** Precision of plain correlations. Default 'exact' */
  readonly precision?: Precision | undefined;
}

/** The plan in force, for decisions and diagnostics */
export interface PlanInForce {
  readonly plan: Plan;
  /** Whether products are formed anew for every request, because sums would take too much memory */
  readonly tiled: boolean;
}

/** The plan in force while there are no samples. */
export function emptyPlan(shape: SumsShape): PlanInForce {
  return { plan: 'magnitudes', tiled: sumsBytesOf(shape) > shape.memory };
}

/** Bytes of the N x N sums. */
export function sumsBytesOf({ nodes, pairs, precision }: SumsShape): number {
  return sumsBytes(nodes, pairs, precision === 'fast');
}

/**
 * The sums of a CPU engine, wherever they are kept. Batches have been checked already, and calls do not overlap, except
 * for `release`.
 */
export interface CpuSums {
  /** n, samples added */
  readonly samples: number;
  readonly inForce: PlanInForce;
  /** How the work is done, in words */
  readonly note: string;
  /** Workers that do the work; 0 for the calling thread */
  readonly workers: number;
  /** Why samples have been lost, which makes these sums unusable; undefined otherwise */
  readonly lost: Error | undefined;
  addChannels(batch: HostChannelBatch): Promise<void>;
  addMagnitudes(batch: MagnitudeBatch): Promise<void>;
  /** Waits until all batches added have been accumulated. */
  drain(): void | Promise<void>;
  /** The samples, to form scores from. */
  snapshot(): LocalSnapshot | Promise<CpuSnapshot>;
  /** Absent if there is only the calling thread */
  readonly threads?: ScoreThreads;
  /** A copy, owned by the caller. */
  statistics(): Promise<SufficientStatistics>;
  /** `statistics` must be of the same shape. */
  merge(statistics: SufficientStatistics): void | Promise<void>;
  reset(): void;
  /** @param why error for reads of snapshots still in use; default: that the engine has been released */
  release(why?: MagnitudeEdgeError): void;
}

/** Sums on the calling thread, which yields to its event loop every 50 ms. */
export class LocalSums implements CpuSums {
  readonly workers = 0;
  readonly #shape: SumsShape;
  readonly #matmuls: { readonly matmul: TiledMatmul; readonly plainMatmul: TiledMatmul };
  #accumulator: CpuAccumulator;
  #lost: Error | undefined;
  #magnitudesX: readonly Float64Array[] = [];
  #magnitudesY: readonly Float64Array[] = [];

  constructor(shape: SumsShape) {
    this.#shape = shape;
    const matmul = new TiledMatmul(shape.nodes);
    // Falls back to float64 if there is no kernel in float32.
    const plainMatmul =
      shape.precision === 'fast' ? new TiledMatmul(shape.nodes, chunkedBlockKernel()) : matmul;
    this.#matmuls = { matmul, plainMatmul };
    this.#accumulator = this.#empty();
  }

  get samples(): number {
    return this.#accumulator.samples;
  }

  /** The arithmetic and what it runs on, in words */
  get arithmetic(): string {
    const { chunkRows, description } = this.#matmuls.plainMatmul;
    if (chunkRows === 1) return `float64, ${description}`;
    return `plain correlations: float32 in chunks of ${chunkRows} rows, float64 sums; else float64; ${description}`;
  }

  get inForce(): PlanInForce {
    const { plan, tiled } = this.#accumulator;
    return { plan, tiled };
  }

  get lost(): Error | undefined {
    return this.#lost;
  }

  get note(): string {
    return `${this.arithmetic}, one thread`;
  }

  addChannels({ size, activations, gradients }: HostChannelBatch): Promise<void> {
    return this.#withOutOfMemoryError(() => {
      this.#reserveMagnitudes(size);
      for (let p = 0; p < this.#shape.pairs; p++) {
        this.#norms(activations[p]!, size, this.#magnitudesX[p]!);
        this.#norms(gradients[p]!, size, this.#magnitudesY[p]!);
      }
      return this.#add(this.#magnitudesX, this.#magnitudesY, size);
    });
  }

  addMagnitudes({ x, y, size }: MagnitudeBatch): Promise<void> {
    return this.#add(x, y, size);
  }

  /** Does some of the work that scores will need, see {@link CpuAccumulator.formAhead}; false if there is none. */
  formAhead(): Promise<boolean> {
    return runYielding(this.#accumulator.formAhead(), createYielder());
  }

  drain(): void {
    // Nothing is pending: every batch has been accumulated when its call returns.
  }

  snapshot(): LocalSnapshot {
    return new LocalSnapshot(this.#accumulator);
  }

  statistics(): Promise<SufficientStatistics> {
    return this.#withOutOfMemoryError(() => runYielding(this.#accumulator.copy(), createYielder()));
  }

  merge(statistics: SufficientStatistics): Promise<void> {
    return this.#withOutOfMemoryError(() =>
      runYielding(this.#accumulator.merge(statistics), createYielder()),
    );
  }

  reset(): void {
    this.#accumulator = this.#empty();
    this.#lost = undefined;
  }

  release(): void {
    // The engine drops the sums, and with them all the memory they hold.
  }

  #empty(): CpuAccumulator {
    const { nodes, pairs, memory } = this.#shape;
    return new CpuAccumulator(nodes, pairs, { memory, ...this.#matmuls });
  }

  #add(
    x: readonly (Float64Array | Float32Array)[],
    y: readonly (Float64Array | Float32Array)[],
    size: number,
  ): Promise<void> {
    return this.#withOutOfMemoryError(() => {
      const accumulator = this.#accumulator;
      try {
        accumulator.add(x, y, size);
      } catch (error) {
        // Some layer pairs have accumulated the batch; for others an allocation failed.
        this.#lost = error as Error;
        throw error;
      }
      return runYielding(accumulator.drain(), createYielder());
    });
  }

  #reserveMagnitudes(size: number): void {
    const { nodes, pairs } = this.#shape;
    if ((this.#magnitudesX[0]?.length ?? 0) >= size * nodes) return;
    const layers = (): Float64Array[] => Array.from({ length: pairs }, () => new Float64Array(size * nodes));
    // Allocate both before assigning either: after a failure, the next batch must not take half of it as ready.
    const [x, y] = [layers(), layers()];
    this.#magnitudesX = x;
    this.#magnitudesY = y;
  }

  #norms(values: Float32Array, size: number, out: Float64Array): void {
    const { channels, channelGroups, reduction } = this.#shape;
    channelNorms(values, size, { channels: channels!, groups: channelGroups!, reduction }, out);
  }

  #withOutOfMemoryError<T>(work: () => T | Promise<T>): Promise<T> {
    return withOutOfMemoryError(this.#shape, work);
  }
}
