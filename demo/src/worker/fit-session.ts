import {
  batches,
  encodeTable,
  MagnitudeEdgeError,
  MagnitudeEdgeInferer,
  type ChannelBlock,
  type EdgeScores,
  type InfererOptions,
  type GsnnModel,
} from 'magnitude-edge';
import type { Table } from 'apache-arrow';
import type { View } from '../heatmap/painter.ts';
import { factsOfFile, type FitSource } from '../results/provenance.ts';
import type { NamedFile } from '../state/inputs.ts';
import { scoreOptions, scoringOf, type Params } from '../state/params.ts';
import { BatchFeed } from './batch-feed.ts';
import { Gate, nextTask } from './clock.ts';
import { modelFacts, placementOf } from './facts.ts';
import { loadModel } from './load-model.ts';
import { columnOf, sampleMagnitudes, type MagnitudeSample } from './magnitude-sample.ts';
import type {
  DataFacts,
  FitApi,
  FitEvents,
  FitFailure,
  FitOutcome,
  ModelFacts,
  PairMagnitudes,
  Pixels,
  ScoredTable,
  TrialOutcome,
  TrialRequest,
} from './protocol.ts';
import { moved, refusalOf } from './rpc.ts';
import { ScoreHeatmap } from './score-heatmap.ts';
import { runTrial } from './trials.ts';

/**
 * A model, data, and the statistics of the samples seen so far. What runs the model waits its turn; `stop` ends all of
 * it, and scores are given meanwhile.
 */
export class FitSession implements FitApi {
  readonly #tell: FitEvents;
  readonly #gate = new Gate();
  #lastTurn: Promise<unknown> = Promise.resolve();
  /** Settles when no scores are under way. */
  #scoring: Promise<unknown> = Promise.resolve();
  /** Of the scores that were asked for last. */
  #stoppingScores = new AbortController();
  /** Of all work that `stop` ends. */
  readonly #stopping = new Set<AbortController>();
  /** Of the block asked for last. */
  #stoppingBlock = new AbortController();
  /** Of what a scatter is read from. */
  #stoppingSample = new AbortController();
  #model: GsnnModel | null = null;
  #modelSource: FitSource['model'] | null = null;
  #data: { file: NamedFile; samples: number } | null = null;
  #inferer: MagnitudeEdgeInferer | null = null;
  /** What its statistics are of: the files and parameters of the fit, whatever has been opened or chosen since. */
  #source: FitSource | null = null;
  /** The options that it was made with. */
  #infererKey = '';
  /** Batches that the last fit has not seen. */
  #feed: BatchFeed | null = null;
  /** Of batches that were refused; the fit goes on without them. */
  #leftOut = { batches: 0, samples: 0 };
  /** Magnitudes for scatters, of the model, data and options under `key`. */
  #sample: { key: string; sample: Promise<MagnitudeSample> } | null = null;
  #seconds = 0;
  readonly #heatmap = new ScoreHeatmap();

  constructor(tell: FitEvents) {
    this.#tell = tell;
  }

  openModel(file: NamedFile, params: Params): Promise<ModelFacts> {
    const { loss, executionProvider } = params;
    return this.#stoppable(async (signal) => {
      const model = await loadModel(file, { loss, executionProvider, signal });
      await nextTask();
      // Only now: a model that was refused, or is not wanted any more, leaves the one that was there.
      if (signal.aborted) await model.release();
      signal.throwIfAborted();
      await this.#forgetFit();
      await this.#model?.release();
      const facts = modelFacts(model);
      this.#model = model;
      this.#modelSource = { ...factsOfFile(file), facts };
      this.#data = null;
      this.#sample = null;
      return facts;
    });
  }

  openData(file: NamedFile, params: Params): Promise<DataFacts> {
    return this.#stoppable(async (signal) => {
      let samples = 0;
      for await (const batch of this.#batches(file, params)) {
        samples += batch.size;
        await nextTask();
        signal.throwIfAborted();
      }
      this.#data = { file, samples };
      this.#sample = null;
      this.#feed = null;
      return { samples };
    });
  }

  fit(params: Params, from: 'start' | 'here', run: number): Promise<FitOutcome> {
    // No fit waits for a scatter.
    this.#stoppingSample.abort();
    return this.#stoppable(async (signal) => {
      const { inferer, feed, source } = await this.#prepare(params, from, run);
      this.#tell.placement(placementOf(inferer));
      const [seenBefore, secondsBefore] = [inferer.samples, this.#seconds];
      const start = performance.now() - feed.waited;
      const total = this.#data!.samples;
      const firstBatch = this.#batchesDone(source.params);
      let failure: FitFailure | null = null;
      try {
        await inferer.fit(feed.handOut(signal), {
          reset: seenBefore === 0,
          loss: source.params.loss,
          signal,
          onProgress: ({ samples }) => {
            feed.counted();
            this.#seconds = secondsBefore + (performance.now() - start - feed.waited) / 1000;
            this.#tell.progress({ run, samples: seenBefore + samples, total, seconds: this.#seconds });
          },
        });
      } catch (error) {
        if (!signal.aborted) failure = this.#failed(source.params, error, firstBatch);
      }
      this.#tell.placement(placementOf(inferer));
      const { samples } = inferer;
      const leftOut = this.#leftOut.samples;
      const complete = failure === null && samples + leftOut === total;
      return { complete, samples, seconds: this.#seconds, leftOut: complete ? leftOut : 0, failure, source };
    });
  }

  pause(): void {
    this.#gate.shut();
  }

  resume(): void {
    this.#gate.open();
  }

  stop(): void {
    for (const controller of this.#stopping) controller.abort();
    this.#gate.open();
  }

  rest(): Promise<void> {
    const scoring = this.#scoring;
    return this.#inTurn(async () => {
      await scoring;
    });
  }

  evaluate(params: Params): Promise<ScoredTable> {
    return this.#asScores((signal) =>
      this.#score(params, signal, false, (inferer, scores) =>
        scores.table({ excludeSelf: params.excludeSelf, ...rowLimit(inferer), signal }),
      ),
    );
  }

  resample(params: Params, turn: number): Promise<ScoredTable> {
    const { excludeSelf } = params;
    return this.#asScores((signal) =>
      this.#score(params, signal, true, (inferer) =>
        inferer.evaluate({
          ...scoreOptions(params),
          excludeSelf,
          signal,
          ...rowLimit(inferer),
          uncertainty: true,
          onResample: (done, total) => {
            this.#tell.resample({ turn, done, total });
          },
        }),
      ),
    );
  }

  stopScoring(): void {
    this.#stoppingScores.abort();
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
    return this.#stoppable((signal) => {
      const [model, data, inferer] = [this.#model, this.#data, this.#inferer];
      if (!model || !data || !inferer)
        throw new MagnitudeEdgeError('too-few-samples', 'A trial needs a fit first.');
      return runTrial(request, {
        inferer,
        params,
        signal,
        feed: () => new BatchFeed(this.#batches(data.file, params), this.#gate),
        onSamples: (samples) => {
          this.#tell.repeat({ run, share: samples / data.samples });
        },
      });
    });
  }

  magnitudes(params: Params, source: number, target: number): Promise<PairMagnitudes> {
    this.#stoppingSample = new AbortController();
    const { signal: superseded } = this.#stoppingSample;
    return this.#stoppable(async (signal) => {
      const sample = await this.#magnitudeSample(params, AbortSignal.any([signal, superseded]));
      const columns = (matrices: readonly Float32Array[], node: number) =>
        matrices.map((matrix) => columnOf(matrix, node, sample));
      return { x: columns(sample.x, source), y: columns(sample.y, target) };
    });
  }

  async channelBlock(
    params: Params,
    source: number,
    target: number,
    layerPair: number,
  ): Promise<ChannelBlock> {
    this.#stoppingBlock.abort();
    this.#stoppingBlock = new AbortController();
    const { inferer } = this.#fitted();
    const names = inferer.graph.nodeNames.function;
    const { layerAgg, lambda } = scoreOptions(params);
    const { signal } = this.#stoppingBlock;
    const options = { layerAgg, lambda, signal, layerPair: layerAgg === 'pooled' ? undefined : layerPair };
    const [block] = await inferer.channelBlock(names[source]!, names[target]!, options);
    return block!;
  }

  /** Forms the scores, has their table made, and gives them to the heatmap where they lie on a GPU. */
  async #score(
    params: Params,
    signal: AbortSignal,
    resampled: boolean,
    tableOf: (inferer: MagnitudeEdgeInferer, scores: EdgeScores) => Promise<Table>,
  ): Promise<ScoredTable> {
    const { inferer, source } = this.#fitted();
    const placement = placementOf(inferer);
    const start = performance.now();
    const scores = await inferer.scores({ ...scoreOptions(params), signal });
    try {
      const table = await tableOf(inferer, scores);
      signal.throwIfAborted();
      const provenance = {
        ...source,
        kind: 'fit' as const,
        params: { ...source.params, ...scoringOf(params) },
        // Those of the table: a fit may have gone on meanwhile.
        samples: Number(table.schema.metadata.get('n')),
        placement,
        seconds: (performance.now() - start) / 1000,
        resampled,
      };
      const bytes = encodeTable(table, 'arrow') as Uint8Array<ArrayBuffer>;
      const { gpu } = scores;
      let onGpu: number | null = null;
      if (gpu) onGpu = await this.#heatmap.hold(scores, gpu, squareOf(inferer, params.excludeSelf));
      else scores.release();
      return moved({ bytes, provenance, onGpu }, [bytes.buffer]);
    } catch (error) {
      scores.release();
      throw error;
    }
  }

  /** Frees the model and what was made of it, once the work asked for before is through. */
  release(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#forgetFit();
      await this.#model?.release();
      this.#model = null;
    });
  }

  #fitted(): { inferer: MagnitudeEdgeInferer; source: FitSource } {
    if (this.#inferer && this.#source) return { inferer: this.#inferer, source: this.#source };
    throw new MagnitudeEdgeError('too-few-samples', 'There are no scores before samples are seen.');
  }

  /** Scores that are wanted now, in place of those under way: nobody waits for those any more. */
  #asScores<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    this.stopScoring();
    this.#stoppingScores = new AbortController();
    const done = work(this.#stoppingScores.signal);
    this.#scoring = Promise.allSettled([this.#scoring, done]);
    return done;
  }

  #magnitudeSample(params: Params, signal: AbortSignal): Promise<MagnitudeSample> {
    if (!this.#model || !this.#data)
      throw new MagnitudeEdgeError('invalid-argument', 'A scatter needs the model and the data.');
    const { loss, usePreNorm, reduction } = params;
    const key = JSON.stringify([loss, usePreNorm, reduction]);
    if (this.#sample?.key !== key) {
      const batches = this.#batches(this.#data.file, params);
      const sample = sampleMagnitudes({
        model: this.#model,
        batches,
        loss,
        usePreNorm,
        reduction,
        signal,
      });
      this.#sample = { key, sample };
      // A refusal is not kept.
      sample.catch(() => {
        this.#sample = null;
      });
    }
    return this.#sample.sample;
  }

  /** A fresh inferer and all batches for a new fit; those at hand to go on. */
  async #prepare(
    params: Params,
    from: 'start' | 'here',
    run: number,
  ): Promise<{ inferer: MagnitudeEdgeInferer; feed: BatchFeed; source: FitSource }> {
    if (!this.#model || !this.#modelSource)
      throw new MagnitudeEdgeError('invalid-argument', 'Choose a model first.');
    if (!this.#data) throw new MagnitudeEdgeError('invalid-argument', 'Choose the data first.');
    if (from === 'here' && this.#inferer && this.#feed && this.#source)
      return { inferer: this.#inferer, feed: this.#feed, source: this.#source };
    // Scores under way are of the samples that are now forgotten.
    await this.#scoring;
    this.#leftOut = { batches: 0, samples: 0 };
    const options = infererOptions(params);
    const key = JSON.stringify(options);
    let inferer = this.#inferer;
    // The same inferer for the same fit: its device stays, and with it the picture of the scores before.
    if (inferer && this.#infererKey === key) inferer.resetStats();
    else {
      try {
        inferer = await MagnitudeEdgeInferer.create(this.#model, options);
      } finally {
        // Also where there is none: the fit before would stand for parameters that are not its.
        await this.#forgetFit();
      }
      this.#inferer = inferer;
      this.#infererKey = key;
    }
    this.#seconds = 0;
    this.#feed = new BatchFeed(this.#batches(this.#data.file, params), this.#gate);
    const { file, samples } = this.#data;
    this.#source = { run, model: this.#modelSource, data: { ...factsOfFile(file), samples }, params };
    return { inferer, feed: this.#feed, source: this.#source };
  }

  /** Batches that are in the statistics, or left out: the next one comes after them. All but the last are of one size. */
  #batchesDone({ batchSize }: Params): number {
    return this.#leftOut.batches + Math.ceil((this.#inferer?.samples ?? 0) / batchSize);
  }

  /**
   * Makes ready to go on after an error, and puts it in terms of the whole data. The engine may have been handed batches
   * after the one that it refused: they come again.
   *
   * @param firstBatch what the failed part of the fit began with
   */
  #failed(params: Params, error: unknown, firstBatch: number): FitFailure {
    const { code, message } = refusalOf(error);
    const leavesBatchOut = code === 'non-finite' || code === 'batch-mismatch';
    if (leavesBatchOut) {
      const { batchSize } = params;
      const before = batchSize * this.#batchesDone(params);
      this.#leftOut.batches += 1;
      this.#leftOut.samples += Math.min(batchSize, this.#data!.samples - before);
    }
    const batches = this.#batches(this.#data!.file, params);
    this.#feed = new BatchFeed(batches, this.#gate, this.#batchesDone(params));
    const inData = message.replace(
      /\b(batch) (\d+)/i,
      (_, word: string, batch: string) => `${word} ${firstBatch + Number(batch)}`,
    );
    return { code, message: inData, leavesBatchOut };
  }

  #batches(file: NamedFile, params: Params) {
    if (!this.#model)
      throw new MagnitudeEdgeError('invalid-argument', `Choose a model before the data in ${file.name}.`);
    return batches(file.bytes, this.#model, { batchSize: params.batchSize, name: file.name });
  }

  async #forgetFit(): Promise<void> {
    const inferer = this.#inferer;
    this.#inferer = null;
    this.#source = null;
    this.#feed = null;
    await this.#heatmap.release();
    await inferer?.release();
  }

  /** Work that `stop` reaches from now on, even while it waits. */
  #stoppable<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    this.#stopping.add(controller);
    this.#gate.open();
    return this.#inTurn(() => work(controller.signal)).finally(() => this.#stopping.delete(controller));
  }

  /** After what was asked for before. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#lastTurn.then(work);
    this.#lastTurn = done.catch(() => undefined);
    return done;
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

/** What the heatmap shows besides the scores. */
function squareOf({ graph }: MagnitudeEdgeInferer, excludeSelf: boolean) {
  const [sources, targets] = graph.edgeIndex['function,function'];
  const edges = Array.from(sources, (source, edge) => [source, targets[edge]!] as const);
  return { nodes: graph.nodeNames.function.length, edges, excludeSelf };
}

/** Rows that a page can hold in comfort. Of a larger square the strongest are kept; p and q are over all pairs. */
const mostRows = 2_000_000;

function rowLimit({ graph }: MagnitudeEdgeInferer): { top?: number } {
  return graph.nodeNames.function.length ** 2 > mostRows ? { top: mostRows } : {};
}
