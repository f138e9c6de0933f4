import type { ScoreScanner } from '../../ranking/score-scanner.ts';
import type { ScoreThreads } from '../../ranking/ranking-work.ts';
import type { ScoreMatrices, ScoreTests } from '../../scoring/score-matrices.ts';
import type { Yielder } from '../../statistics/yielder.ts';

/**
 * Scores of all ordered pairs, wherever they were computed. Owned by the caller until `release`: later batches, other
 * requests and the release of the engine do not change them. Scores on a GPU end with its device.
 */
export interface Scores {
  /** N, function nodes */
  readonly nodes: number;
  /** P, layer pairs */
  readonly pairs: number;
  /**
   * How many targets were scored for this request. An engine caches the scores of the last one: if only the graph
   * differs, it scores only the targets whose parents differ; if only the aggregation differs, none.
   */
  readonly scoredTargets: number;
  /** `[N]`, why pairs of a node have no score: see `NODE_FLAG` of `magnitude-edge/statistics` */
  readonly nodeFlags: Uint8Array;
  /** Standard errors and p-values, if they do not follow from the scores themselves; read-only */
  readonly tests?: ScoreTests | undefined;
  /** The buffers of scores on a GPU; undefined for scores on the host */
  readonly gpu: ScoreBuffers | undefined;
  /**
   * The scores on the host. Arrays of host scores belong to the handle and must not be written to; they are in shared
   * memory if the engine has workers that can use it (then a clone shares that memory too: copy them). Scores on a GPU
   * are read back at each call, and the arrays belong to the caller. If the CPU engine holds only the aggregated
   * scores, those of the layer pairs are formed again, which takes as long as scoring, and belong to the caller.
   * @throws `released` (for scores that are formed again, also after the engine's release), `device-lost`,
   * `out-of-memory`, `runtime`
   */
  matrices(): Promise<ScoreMatrices>;
  /**
   * The aggregated scores alone, row-major `[source, target]`; ownership as in {@link Scores.matrices}.
   * @throws `released`, `device-lost`
   */
  aggregate(): Promise<ScoreMatrices['aggregated']>;
  /** Reads the scores in place; the caller must release the reader. @throws `released` */
  reader(): ScoreReader;
  /** Frees the memory of the scores. Idempotent. */
  release(): void;
}

/**
 * Reads scores in place. Until the reader is released, nothing writes to or frees them, even if the handle is released
 * meanwhile. Everything it returns on the host is valid until then and must not be written to.
 */
export interface ScoreReader {
  /** Whether scores of layer pairs are held; otherwise they are formed again on every request. */
  readonly holdsPairs: boolean;
  /** Whether the aggregated scores are on the host and need no readback. */
  readonly onHost: boolean;
  /** Threads besides the calling one, if there are any */
  readonly threads: ScoreThreads | undefined;
  /** The aggregated scores, row-major `[source, target]`; read back from a GPU. @throws `device-lost` */
  aggregated(): Promise<ScoreMatrices['aggregated']>;
  /** All scores, as {@link Scores.matrices}. */
  matrices(): Promise<ScoreMatrices>;
  /**
   * Scans the scores.
   *
   * @param classOf class of each target; see `DegreesOfFreedomGroups`
   * @param signal aborts scores that have to be formed again
   */
  scanner(classOf: ArrayLike<number>, yielder: Yielder, signal?: AbortSignal): ScoreScanner;
  /** Call it once. */
  release(): void;
}

/** Targets whose scores share a buffer. */
export interface ScorePanel {
  /** First target */
  readonly row: number;
  /** Targets in the panel; the buffer may be larger */
  readonly rows: number;
}

/**
 * Score matrices in GPU buffers (usage STORAGE, COPY_SRC, COPY_DST), **a row for each target**, cut into panels of rows
 * if a matrix is larger than the device can bind. Panel q of a matrix holds float32, row-major `[panels[q].rows, N]`
 * without padding: element `(target - panels[q].row) * N + source`. Where the method gives no score, the bits are
 * 0x7fc00000, a quiet NaN: shaders read them as `array<u32>` and compare before `bitcast<f32>`, since compilers may
 * assume that floats are not NaN.
 */
export interface ScoreBuffers {
  /** The device that the buffers belong to: the engine's */
  readonly device: GPUDevice;
  readonly panels: readonly ScorePanel[];
  /** One buffer per panel */
  readonly aggregated: readonly GPUBuffer[];
  /** One buffer per panel, for each layer pair */
  readonly perPair: readonly (readonly GPUBuffer[])[];
}
