import { MagnitudeEdgeInferer, type InfererOptions } from 'magnitude-edge';
import { factsOfFile, type FitSource } from '../results/provenance.ts';
import type { Params } from '../results/params.ts';
import { BatchFeed } from './batch-feed.ts';
import type { Gate } from './clock.ts';
import { batchesOf, requireData, type OpenedFiles } from './opened-files.ts';
import type { FitFailure } from './protocol.ts';
import { refusalOf } from './rpc.ts';

/** What a fit provides once it has begun. */
export interface Begun {
  readonly inferer: MagnitudeEdgeInferer;
  readonly source: FitSource;
}

interface State extends Begun {
  readonly files: ReturnType<typeof requireData>;
  /** Batches not seen yet; null once other data were opened. */
  readonly feed: BatchFeed | null;
}

/** A fit that can resume. */
export type Going = State & { readonly feed: BatchFeed };

/** The statistics of the samples seen so far, their provenance, and the batches not seen yet. */
export class Fit {
  readonly #gate: Gate;
  #state: State | null = null;
  /** The options that the inferer was made with. */
  #options = '';
  /** Refused batches; the fit continues without them. */
  #leftOut = { batches: 0, samples: 0 };
  /** Seconds spent fitting, without pauses. */
  seconds = 0;

  constructor(gate: Gate) {
    this.#gate = gate;
  }

  get begun(): Begun | null {
    return this.#state;
  }

  get samplesLeftOut(): number {
    return this.#leftOut.samples;
  }

  /**
   * Batches that are in the statistics, or left out: the next one follows them. All but the last have the same size.
   */
  get batchesDone(): number {
    const { inferer, source } = this.#state!;
    return this.#leftOut.batches + Math.ceil(inferer.samples / source.params.batchSize);
  }

  /** The fit to resume; null if nothing is left to see. */
  goOn(): Going | null {
    const state = this.#state;
    return state?.feed ? { ...state, feed: state.feed } : null;
  }

  /** Other data were opened: this fit cannot resume, but its scores stay. */
  endFeed(): void {
    if (this.#state) this.#state = { ...this.#state, feed: null };
  }

  /**
   * Begins a new fit. With the same options it reuses the inferer, so that its device stays, and with it the picture of
   * the previous scores.
   *
   * @param release frees what was made of the previous fit, whose inferer is released
   */
  async begin(
    opened: OpenedFiles | null,
    params: Params,
    run: number,
    release: () => Promise<void>,
  ): Promise<Going> {
    const files = requireData(opened);
    const options = infererOptions(params);
    const key = JSON.stringify(options);
    let inferer = this.#state?.inferer;
    if (inferer && this.#options === key) inferer.resetStats();
    else {
      try {
        inferer = await MagnitudeEdgeInferer.create(files.model, options);
      } finally {
        // Even if there is no new inferer: the previous fit belongs to other parameters.
        await release();
        await this.forget();
      }
      this.#options = key;
    }
    const { data, source: model } = files;
    this.#leftOut = { batches: 0, samples: 0 };
    this.seconds = 0;
    const state = {
      inferer,
      files,
      feed: new BatchFeed(batchesOf(files.model, data.file, params), this.#gate),
      source: { run, model, data: { ...factsOfFile(data.file), samples: data.samples }, params },
    };
    this.#state = state;
    return state;
  }

  /**
   * Prepares to resume after an error, and numbers the batch in the error within the whole data. The engine may have
   * received batches after the one that it refused: they come again.
   *
   * @param firstBatch number of the batch with which the failed part of the fit began
   */
  failed(error: unknown, firstBatch: number): FitFailure {
    const state = this.#state!;
    const { files, source } = state;
    const { code, message } = refusalOf(error);
    const leavesBatchOut = code === 'non-finite' || code === 'batch-mismatch';
    if (leavesBatchOut) {
      const { batchSize } = source.params;
      const before = batchSize * this.batchesDone;
      this.#leftOut.batches += 1;
      this.#leftOut.samples += Math.min(batchSize, files.data.samples - before);
    }
    const batches = batchesOf(files.model, files.data.file, source.params);
    this.#state = { ...state, feed: new BatchFeed(batches, this.#gate, this.batchesDone) };
    const inData = message.replace(
      /\b(batch) (\d+)/i,
      (_, word: string, batch: string) => `${word} ${firstBatch + Number(batch)}`,
    );
    return { code, message: inData, leavesBatchOut };
  }

  async forget(): Promise<void> {
    const state = this.#state;
    this.#state = null;
    await state?.inferer.release();
  }
}

function infererOptions({ reduction, usePreNorm, backend, ...params }: Params): InfererOptions {
  const { groups, permutations, seed } = params;
  return {
    reduction,
    usePreNorm,
    backend,
    uncertainty: params.uncertainty && { groups, permutations, seed },
  };
}
