import type { ScoreScanner } from '../../ranking/score-scanner.ts';
import type { ScoreThreads } from '../../ranking/ranking-work.ts';
import type { ScoreMatrices, ScoreTests } from '../../scoring/score-matrices.ts';
import type { Yielder } from '../../statistics/yielder.ts';

/**
 * Scores of all ordered pairs, wherever they were computed. They belong to whoever asked for them, until `release`:
 * later batches, other requests and the release of the engine (on a GPU: of its device) aside, nothing changes them.
 */
export interface Scores {
  /** N, function nodes */
  readonly nodes: number;
  /** P, layer pairs */
  readonly pairs: number;
  /**
   * How many targets were scored for this request. An engine keeps the scores of the last one: another graph, all else
   * and the samples being the same, costs the targets whose parents differ, another aggregation none.
   */
  readonly scoredTargets: number;
  /** `[N]`, why pairs of a node have no score: see `NODE_FLAG` of `magnitude-edge/statistics` */
  readonly nodeFlags: Uint8Array;
  /** Standard errors and p-values, where they do not follow from the scores themselves; not to be written to */
  readonly tests?: ScoreTests | undefined;
  /** Where they are on a GPU; undefined for scores on the host */
  readonly gpu: ScoreBuffers | undefined;
  /**
   * The scores on the host. Arrays of host scores are the handle's own and must not be written to, and lie in shared
   * memory where the engine has workers that can use it (a clone of them is none then: copy them); those of a GPU are
   * read back at each call and belong to the caller. Where the CPU engine holds the aggregated scores alone, those of the
   * layer pairs are formed again, which takes as long as scores do, and belong to the caller.
   * @throws `released` (for scores that are formed again, after the engine's release as well), `device-lost`,
   *   `out-of-memory`, `runtime`
   */
  matrices(): Promise<ScoreMatrices>;
  /**
   * The aggregated scores alone, row-major `[source, target]`; whose they are, as {@link Scores.matrices}.
   * @throws `released`, `device-lost`
   */
  aggregate(): Promise<ScoreMatrices['aggregated']>;
  /** Reads the scores where they are; the caller's, to be released. @throws `released` */
  reader(): ScoreReader;
  /** Frees what the scores take. Idempotent. */
  release(): void;
}

/**
 * Reads scores where they are. Until it is released nothing writes to them nor frees them, also when the handle is
 * released meanwhile. All that it gives on the host is good until then, and must not be written to.
 */
export interface ScoreReader {
  /** Whether scores of layer pairs are held; else they are formed again whenever they are asked for. */
  readonly holdsPairs: boolean;
  /** Whether the aggregated scores are on the host, where they need not be read back. */
  readonly onHost: boolean;
  /** Threads beside the calling one, where there are any */
  readonly threads: ScoreThreads | undefined;
  /** The aggregated scores, row-major `[source, target]`; read back from a GPU. @throws `device-lost` */
  aggregated(): Promise<ScoreMatrices['aggregated']>;
  /** All scores, as {@link Scores.matrices}. */
  matrices(): Promise<ScoreMatrices>;
  /**
   * Passes over the scores.
   *
   * @param classOf class of each target; see `DegreesOfFreedomGroups`
   * @param signal ends the forming of scores anew, where some must be
   */
  scanner(classOf: ArrayLike<number>, yielder: Yielder, signal?: AbortSignal): ScoreScanner;
  /** Once */
  release(): void;
}

/** Targets whose scores share a buffer. */
export interface ScorePanel {
  /** First target */
  readonly row: number;
  /** Targets in it; the buffer may have room for more */
  readonly rows: number;
}

/**
 * Score matrices in GPU buffers (usage STORAGE, COPY_SRC, COPY_DST), **a row for each target**, cut into panels of rows
 * where a matrix is larger than the device binds. Panel q of a matrix holds float32, row-major `[panels[q].rows, N]`
 * without padding: element `(target - panels[q].row) * N + source`. Where the method gives no score the bits are
 * 0x7fc00000, a quiet NaN: shaders read them as `array<u32>` and compare before `bitcast<f32>`, since compilers may
 * assume that floats are not NaN.
 */
export interface ScoreBuffers {
  /** The device that the buffers belong to: the engine's */
  readonly device: GPUDevice;
  readonly panels: readonly ScorePanel[];
  /** One buffer per panel */
  readonly aggregated: readonly GPUBuffer[];
  /** For each layer pair one buffer per panel */
  readonly perPair: readonly (readonly GPUBuffer[])[];
}
