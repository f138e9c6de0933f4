import { MagnitudeEdgeError, type ChannelBlock } from 'magnitude-edge';
import type { Edge } from '../graph/change.ts';
import type { View } from '../heatmap/painter.ts';
import type { DataFacts, ModelFacts } from '../results/facts.ts';
import { factsOfFile } from '../results/provenance.ts';
import type { NamedFile } from '../state/inputs.ts';
import type { Params } from '../results/params.ts';
import { BatchFeed } from './batch-feed.ts';
import { nextTask } from './clock.ts';
import { modelFacts, placementOf } from './facts.ts';
import { checkpointsOf } from './fit-checkpoint.ts';
import { Fit } from './fit.ts';
import { loadModel } from './load-model.ts';
import { MagnitudeSamples } from './magnitude-samples.ts';
import { batchesOf, type OpenedFiles } from './opened-files.ts';
import type {
  CheckpointAt,
  FitApi,
  FitEvents,
  FitFailure,
  FitOutcome,
  PairMagnitudes,
  Pixels,
  ScoredTable,
  TrialOutcome,
  TrialRequest,
} from './protocol.ts';
import { moved } from './rpc.ts';
import { ScoreHeatmap } from './score-heatmap.ts';
import { Scoring } from './scoring.ts';
import { runTrial } from './trials.ts';
import { Turns } from './turns.ts';

/**
 * A model, data, and the statistics of the samples seen so far. Work that runs the model is queued; `stop` ends all of
 * it. Scoring does not wait for it.
 */
export class FitSession implements FitApi {
  readonly #tell: FitEvents;
  readonly #turns = new Turns();
  readonly #heatmap = new ScoreHeatmap();
  readonly #fit = new Fit(this.#turns.gate);
  readonly #scoring = new Scoring(() => this.#fit.begun, this.#heatmap);
  readonly #samples = new MagnitudeSamples();
  #files: OpenedFiles | null = null;

  constructor(tell: FitEvents) {
    this.#tell = tell;
  }

  openModel(file: NamedFile, params: Params): Promise<ModelFacts> {
    const { loss, executionProvider } = params;
    return this.#turns.stoppable(async (signal) => {
      const model = await loadModel(file, { loss, executionProvider, signal });
      await nextTask();
      // Only now: a model that was refused, or is no longer wanted, must not replace the previous one.
      if (signal.aborted) await model.release();
      signal.throwIfAborted();
      await this.#forgetFit();
      await this.#files?.model.release();
      const facts = modelFacts(model);
      this.#files = { model, source: { ...factsOfFile(file), facts }, data: null };
      this.#samples.forget();
      return facts;
    });
  }

  openData(file: NamedFile, params: Params): Promise<DataFacts> {
    return this.#turns.stoppable(async (signal) => {
      const files = this.#files;
      if (!files)
        throw new MagnitudeEdgeError('invalid-argument', `Choose a model before the data in ${file.name}.`);
      let samples = 0;
      for await (const batch of batchesOf(files.model, file, params)) {
        samples += batch.size;
        await nextTask();
        signal.throwIfAborted();
      }
      this.#files = { ...files, data: { file, samples } };
      this.#samples.forget();
      this.#fit.endFeed();
      return { samples };
    });
  }

  fit(
    params: Params,
    from: 'start' | 'here',
    run: number,
    at: CheckpointAt | null = null,
  ): Promise<FitOutcome> {
    // A fit does not wait for a scatter.
    this.#samples.stop();
    return this.#turns.stoppable(async (signal) => {
      const fit = this.#fit;
      const going = (from === 'here' ? fit.goOn() : null) ?? (await this.#begin(params, run));
      const { inferer, feed, source, files } = going;
      this.#tell.placement(placementOf(inferer));
      const [seenBefore, secondsBefore] = [inferer.samples, fit.seconds];
      const start = performance.now() - feed.waited;
      const total = files.data.samples;
      const firstBatch = fit.batchesDone;
      let failure: FitFailure | null = null;
      try {
        const kept = checkpointsOf(seenBefore === 0 ? at : null, going, signal, (samples) => {
          this.#tell.checkpoint({ run, samples });
        });
        await inferer.fit(kept?.loader ?? feed.handOut(signal), {
          checkpoint: kept?.checkpoint,
          reset: seenBefore === 0,
          loss: source.params.loss,
          signal,
          onProgress: ({ samples }) => {
            feed.counted();
            fit.seconds = secondsBefore + (performance.now() - start - feed.waited) / 1000;
            this.#tell.progress({ run, samples: seenBefore + samples, total, seconds: fit.seconds });
          },
        });
      } catch (error) {
        if (!signal.aborted) failure = fit.failed(error, firstBatch);
      }
      this.#tell.placement(placementOf(inferer));
      const { samples } = inferer;
      const leftOut = fit.samplesLeftOut;
      const complete = failure === null && samples + leftOut === total;
      return { complete, samples, seconds: fit.seconds, leftOut: complete ? leftOut : 0, failure, source };
    });
  }

  pause(): void {
    this.#turns.gate.shut();
  }

  resume(): void {
    this.#turns.gate.open();
  }

  stop(): void {
    this.#turns.stop();
  }

  rest(): Promise<void> {
    const { settled } = this.#scoring;
    return this.#turns.inTurn(async () => {
      await settled;
    });
  }

  evaluate(params: Params): Promise<ScoredTable> {
    return this.#scoring.evaluate(params);
  }

  resample(params: Params, turn: number): Promise<ScoredTable> {
    return this.#scoring.resample(params, (done, total) => {
      this.#tell.resample({ turn, done, total });
    });
  }

  partialScores(params: Params, changed: Edge | null): Promise<Uint8Array<ArrayBuffer>> {
    return this.#scoring.partialScores(params, changed);
  }

  stopScoring(): void {
    this.#scoring.stop();
  }

  attachHeatmap(canvas: OffscreenCanvas): void {
    this.#heatmap.attach(canvas);
  }

  layHeatmap(scores: number, order: Uint32Array): Promise<{ extent: number } | null> {
    return this.#heatmap.lay(scores, order);
  }

  drawHeatmap(view: View): Promise<boolean> {
    return this.#heatmap.draw(view);
  }

  async heatmapPicture(view: View): Promise<Pixels | null> {
    const pixels = await this.#heatmap.picture(view);
    return pixels && moved(pixels, [pixels.rgba.buffer]);
  }

  fetched(): string[] {
    const names = performance.getEntriesByType('resource').map(({ name }) => name);
    return [...new Set(names)].filter((name) => name.startsWith(location.origin));
  }

  trial(request: TrialRequest, params: Params, run: number): Promise<TrialOutcome> {
    return this.#turns.stoppable((signal) => {
      const [files, begun] = [this.#files, this.#fit.begun];
      if (!files?.data || !begun)
        throw new MagnitudeEdgeError('too-few-samples', 'A trial needs a fit first.');
      const { model, data } = files;
      return runTrial(request, {
        inferer: begun.inferer,
        params,
        signal,
        feed: () => new BatchFeed(batchesOf(model, data.file, params), this.#turns.gate),
        onSamples: (samples) => {
          this.#tell.repeat({ run, share: samples / data.samples });
        },
      });
    });
  }

  magnitudes(
    params: Params,
    source: number,
    target: number,
    others: readonly number[],
  ): Promise<PairMagnitudes> {
    return this.#turns.stoppable((signal) =>
      this.#samples.pair(this.#files, params, [source, target, others], signal),
    );
  }

  channelBlock(params: Params, source: number, target: number, layerPair: number): Promise<ChannelBlock> {
    return this.#scoring.channelBlock(params, source, target, layerPair);
  }

  /** Frees the model and what was made of it, after the work requested before. */
  release(): Promise<void> {
    return this.#turns.inTurn(async () => {
      await this.#forgetFit();
      await this.#files?.model.release();
      this.#files = null;
    });
  }

  async #begin(params: Params, run: number) {
    // Scores under way use the samples that are now discarded.
    await this.#scoring.settled;
    return this.#fit.begin(this.#files, params, run, () => this.#heatmap.release());
  }

  async #forgetFit(): Promise<void> {
    await this.#heatmap.release();
    await this.#fit.forget();
  }
}
