import {
  batches,
  encodeTable,
  GsnnModel,
  MagnitudeEdgeError,
  MagnitudeEdgeInferer,
  type Batch,
} from 'magnitude-edge';
import type { NamedFile } from '../state/inputs.ts';
import type { Params } from '../state/params.ts';
import { Gate, nextTask } from './clock.ts';
import { modelFacts } from './facts.ts';
import { columnOf, sampleMagnitudes, type MagnitudeSample } from './magnitude-sample.ts';
import type {
  DataFacts,
  FitApi,
  FitOutcome,
  ModelFacts,
  PairMagnitudes,
  Progress,
  ScoredTable,
  TrialOutcome,
  TrialRequest,
} from './protocol.ts';
import { runTrial } from './trials.ts';
import { moved } from './rpc.ts';

/**
 * A model, data, and the statistics of the samples seen so far. The fit draws its batches through a gate, so that it can
 * pause, stop where it is, and go on from there.
 */
export class FitSession implements FitApi {
  readonly #report: (progress: Progress) => void;
  readonly #gate = new Gate();
  #model: GsnnModel | null = null;
  #data: { file: NamedFile; samples: number } | null = null;
  #inferer: MagnitudeEdgeInferer | null = null;
  /** Batches that the last fit has not seen. */
  #rest: AsyncIterator<Batch> | null = null;
  /** Magnitudes for scatters, of the model, data and options under `key`. */
  #sample: { key: string; sample: Promise<MagnitudeSample> } | null = null;
  #seconds = 0;
  #stopped = false;

  constructor(report: (progress: Progress) => void) {
    this.#report = report;
  }

  async openModel(file: NamedFile, params: Params): Promise<ModelFacts> {
    const { loss, executionProvider } = params;
    const model = await GsnnModel.load(new File([file.bytes], file.name), {
      loss,
      executionProvider,
      ...(file.external ? { externalData: file.external } : {}),
    });
    // Only now: a refused model leaves the one that was there.
    await this.#forgetFit();
    await this.#model?.release();
    this.#model = model;
    this.#data = null;
    this.#sample = null;
    return modelFacts(model);
  }

  async openData(file: NamedFile, params: Params): Promise<DataFacts> {
    let samples = 0;
    for await (const batch of this.#batches(file, params)) samples += batch.size;
    this.#data = { file, samples };
    this.#sample = null;
    this.#rest = null;
    return { samples };
  }

  async fit(params: Params, from: 'start' | 'here'): Promise<FitOutcome> {
    this.#stopped = false;
    this.#gate.open();
    const inferer = await this.#prepare(params, from);
    const seenBefore = inferer.samples;
    let start = performance.now();
    const secondsBefore = this.#seconds;
    const onPause = (milliseconds: number) => {
      start += milliseconds;
    };
    await inferer.fit(this.#gated(onPause), {
      reset: seenBefore === 0,
      loss: params.loss,
      onProgress: ({ samples }) => {
        this.#seconds = secondsBefore + (performance.now() - start) / 1000;
        this.#report({
          samples: seenBefore + samples,
          total: this.#data?.samples ?? 0,
          seconds: this.#seconds,
        });
      },
    });
    return {
      complete: inferer.samples === this.#data?.samples,
      samples: inferer.samples,
      seconds: this.#seconds,
      ...runFacts(inferer),
    };
  }

  pause(): void {
    this.#gate.shut();
  }

  resume(): void {
    this.#gate.open();
  }

  stop(): void {
    this.#stopped = true;
    this.#gate.open();
  }

  async evaluate(params: Params): Promise<ScoredTable> {
    const inferer = this.#inferer;
    if (!inferer)
      throw new MagnitudeEdgeError('too-few-samples', 'There are no scores before samples are seen.');
    const start = performance.now();
    const { score, layerAgg, ridge, excludeSelf } = params;
    const table = await inferer.evaluate({ score, layerAgg, ridge, excludeSelf, ...rowLimit(inferer) });
    const seconds = (performance.now() - start) / 1000;
    const bytes = encodeTable(table, 'arrow') as Uint8Array<ArrayBuffer>;
    return moved({ bytes, seconds }, [bytes.buffer]);
  }

  fetched(): string[] {
    const names = performance.getEntriesByType('resource').map(({ name }) => name);
    return [...new Set(names)].filter((name) => name.startsWith(location.origin));
  }

  trial(request: TrialRequest, params: Params): Promise<TrialOutcome> {
    if (!this.#inferer) throw new MagnitudeEdgeError('too-few-samples', 'A trial needs a fit first.');
    return runTrial(this.#inferer, request, params);
  }

  async magnitudes(params: Params, source: number, target: number): Promise<PairMagnitudes> {
    if (!this.#model || !this.#data)
      throw new MagnitudeEdgeError('invalid-argument', 'A scatter needs the model and the data.');
    const { loss, usePreNorm, reduction } = params;
    const key = JSON.stringify([loss, usePreNorm, reduction]);
    if (this.#sample?.key !== key) {
      const batches = this.#batches(this.#data.file, params);
      const sample = sampleMagnitudes({ model: this.#model, batches, loss, usePreNorm, reduction });
      this.#sample = { key, sample };
      // A refusal is not kept.
      sample.catch(() => {
        this.#sample = null;
      });
    }
    const sample = await this.#sample.sample;
    const columns = (matrices: readonly Float32Array[], node: number) =>
      matrices.map((matrix) => columnOf(matrix, node, sample));
    return { x: columns(sample.x, source), y: columns(sample.y, target) };
  }

  /** A fresh inferer and all batches for a new fit; those at hand to go on. */
  async #prepare(params: Params, from: 'start' | 'here'): Promise<MagnitudeEdgeInferer> {
    if (!this.#model) throw new MagnitudeEdgeError('invalid-argument', 'Choose a model first.');
    if (!this.#data) throw new MagnitudeEdgeError('invalid-argument', 'Choose the data first.');
    if (from === 'here' && this.#inferer && this.#rest) return this.#inferer;
    const { reduction, usePreNorm, backend } = params;
    const inferer = await MagnitudeEdgeInferer.create(this.#model, { reduction, usePreNorm, backend });
    await this.#forgetFit();
    this.#inferer = inferer;
    this.#rest = this.#batches(this.#data.file, params)[Symbol.asyncIterator]();
    return inferer;
  }

  /** The batches not seen yet, one at a time while the gate is open, none once the fit is stopped. */
  async *#gated(onPause: (milliseconds: number) => void): AsyncGenerator<Batch> {
    for (;;) {
      const arrived = performance.now();
      await this.#gate.passed();
      if (performance.now() - arrived > 1) onPause(performance.now() - arrived);
      await nextTask();
      if (this.#stopped) return;
      const next = await this.#rest!.next();
      if (next.done) return;
      yield next.value;
    }
  }

  #batches(file: NamedFile, params: Params) {
    if (!this.#model)
      throw new MagnitudeEdgeError('invalid-argument', `Choose a model before the data in ${file.name}.`);
    return batches(file.bytes, this.#model, { batchSize: params.batchSize, name: file.name });
  }

  async #forgetFit(): Promise<void> {
    const inferer = this.#inferer;
    this.#inferer = null;
    this.#rest = null;
    this.#seconds = 0;
    await inferer?.release();
  }
}

/** Rows that a page can hold in comfort. Of a larger square the strongest are kept; p and q are over all pairs. */
const mostRows = 2_000_000;

function rowLimit({ graph }: MagnitudeEdgeInferer): { top?: number } {
  return graph.nodeNames.function.length ** 2 > mostRows ? { top: mostRows } : {};
}

/** What ran where, and what was looked for and not taken. */
function runFacts({ diagnostics }: MagnitudeEdgeInferer): Pick<FitOutcome, 'backend' | 'provider' | 'notes'> {
  const { backend, notes, fallbacks, model } = diagnostics;
  return {
    backend,
    provider: model.executionProvider,
    notes: [...(model.adapter ? [model.adapter] : []), ...notes, ...fallbacks, ...model.fallbacks],
  };
}
