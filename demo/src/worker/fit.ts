import { MagnitudeEdgeInferer, type InfererOptions } from 'magnitude-edge';
import { factsOfFile, type FitSource } from '../results/provenance.ts';
import type { Params } from '../state/params.ts';
import { BatchFeed } from './batch-feed.ts';
import type { Gate } from './clock.ts';
import { batchesOf, requireData, type OpenedFiles } from './opened-files.ts';
import type { FitFailure } from './protocol.ts';
import { refusalOf } from './rpc.ts';

/** What may be taken from a fit once it has begun. */
export interface Begun {
  readonly inferer: MagnitudeEdgeInferer;
  readonly source: FitSource;
}

interface State extends Begun {
  readonly files: ReturnType<typeof requireData>;
  /** Batches not seen yet; null once other data were opened. */
  readonly feed: BatchFeed | null;
}

/** A fit that can go on. */
export type Going = State & { readonly feed: BatchFeed };

/** The statistics of the samples seen so far, what they are of, and what is left to see. */
export class Fit {
  readonly #gate: Gate;
  #state: State | null = null;
  /** The options that the inferer was made with. */
  #options = '';
  /** Of batches that were refused; the fit goes on without them. */
  #leftOut = { batches: 0, samples: 0 };
  /** Seconds spent fitting, pauses left out. */
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

  /** Batches that are in the statistics, or left out: the next one comes after them. All but the last are of one size. */
  get batchesDone(): number {
    const { inferer, source } = this.#state!;
    return this.#leftOut.batches + Math.ceil(inferer.samples / source.params.batchSize);
  }

  /** What goes on where it was; null where there is nothing left to see. */
  goOn(): Going | null {
    const state = this.#state;
    return state?.feed ? { ...state, feed: state.feed } : null;
  }

  /** Other data were opened: this fit cannot go on, its scores stay. */
  endFeed(): void {
    if (this.#state) this.#state = { ...this.#state, feed: null };
  }

  /**
   * A fresh fit. The same inferer for the same options: its device stays, and with it the picture of the scores before.
   *
   * @param release frees what was made of the fit before, whose inferer goes
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
        // Also where there is none: the fit before would stand for parameters that are not its.
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
   * Makes ready to go on after an error, and puts it in terms of the whole data. The engine may have been handed batches
   * after the one that it refused: they come again.
   *
   * @param firstBatch what the failed part of the fit began with
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
