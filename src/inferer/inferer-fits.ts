import type { Batch } from '../data/batches.ts';
import type { ChannelBatch, MagnitudeBatch } from '../engine/engine.ts';
import type { InfererModel } from '../model/external-model.ts';
import type { GsnnGraph } from '../model/graph.ts';
import type { StatisticsOrigin } from '../table/statistics-origin.ts';
import { accumulate, modelRunner, type Runner } from './accumulate.ts';
import { checkCanCheckpoint, checkpointOf, FitCheckpoints, stateOf } from './checkpoint.ts';
import { checkCanResume, fitSettings, type FitSettings } from './fit-settings.ts';
import { HeldStatistics } from './held-statistics.ts';
import type { FitOptions, FitValuesOptions } from './inferer-options.ts';
import type { InfererStatistics } from './inferer-statistics.ts';

/** The model to run, and which activations to read. */
interface Fitted {
  readonly model: InfererModel;
  readonly graph: GsnnGraph;
  readonly usePreNorm: boolean;
}

/** The fits of an inferer: the model runs the samples, and its values go into the statistics. One fit at a time. */
export class InfererFits {
  readonly #of: Fitted;
  readonly #statistics: InfererStatistics;
  /** Origin of statistics, as recorded in their files */
  readonly #origin: (held: HeldStatistics) => StatisticsOrigin;

  constructor(of: Fitted, statistics: InfererStatistics, origin: (held: HeldStatistics) => StatisticsOrigin) {
    this.#of = of;
    this.#statistics = statistics;
    this.#origin = origin;
  }

  /** Fits samples that the model runs; resumes from a checkpoint if requested and present. Resolves to n. */
  ofSamples(loader: Iterable<Batch> | AsyncIterable<Batch>, options: FitOptions): Promise<number> {
    const { model, graph, usePreNorm } = this.#of;
    const settings = fitSettings(model, graph, options);
    const prepare = () => {
      const { engine } = this.#statistics.choice;
      // Workers start while the runtime prepares the model on this thread.
      engine.prepare?.();
      // Values of a model on the GPU stay there for an engine on the GPU.
      const onGpu =
        engine.diagnostics.backend === 'webgpu' && model.diagnostics.executionProvider === 'webgpu';
      return modelRunner(model, settings, { usePreNorm, onGpu }, loader);
    };
    if (options.checkpoint) return this.#withCheckpoints(loader, settings, options, prepare);
    return this.#plain(loader, settings, options, prepare);
  }

  /** Fits values computed elsewhere. Resolves to n. */
  ofValues(loader: AsyncIterable<ChannelBatch | MagnitudeBatch>, options: FitValuesOptions): Promise<number> {
    const settings = fitSettings(this.#of.model, this.#of.graph, options);
    const run = (values: ChannelBatch | MagnitudeBatch) =>
      Promise.resolve({ values, dispose: () => undefined });
    return this.#plain(loader, settings, options, () => Promise.resolve(run));
  }

  /** Starts over if a device has been lost, and the samples with it. */
  async recover(): Promise<void> {
    await this.#of.model.recover();
    await this.#statistics.recover();
  }

  async #plain<T>(
    loader: Iterable<T> | AsyncIterable<T>,
    settings: FitSettings,
    { onProgress, signal, reset = true, channelsLater }: FitOptions & FitValuesOptions,
    prepare: () => Promise<Runner<T>>,
  ): Promise<number> {
    signal?.throwIfAborted();
    const statistics = this.#statistics;
    const continues = !reset && statistics.held.tally.samples > 0;
    if (continues) checkCanResume(this.#of.model, statistics.held.settings, settings);
    else await this.recover();
    const run = await prepare();
    signal?.throwIfAborted();
    if (!continues) statistics.startAnew(settings);
    return accumulate(statistics, loader, run, { onProgress, signal, channelsLater });
  }

  async #withCheckpoints(
    loader: Iterable<Batch> | AsyncIterable<Batch>,
    settings: FitSettings,
    { onProgress, signal, reset = true, checkpoint }: FitOptions,
    prepare: () => Promise<Runner<Batch>>,
  ): Promise<number> {
    signal?.throwIfAborted();
    const statistics = this.#statistics;
    checkCanCheckpoint(reset, statistics);
    await this.recover();
    const held = new HeldStatistics(settings);
    const of = checkpointOf(this.#of.model, statistics, settings, this.#origin(held), loader);
    const checkpoints = await FitCheckpoints.open(checkpoint!, of, loader);
    const saved = await checkpoints.read();
    const run = await prepare();
    signal?.throwIfAborted();
    statistics.startAnew(settings);
    if (saved) {
      await statistics.restore(stateOf(saved));
      checkpoint!.onResume?.(saved.statistics.samples, checkpoints.batches);
    }
    const samples = await accumulate(
      statistics,
      loader,
      run,
      { onProgress, signal },
      {
        batches: checkpoints.batches,
        samples: saved?.statistics.samples ?? 0,
        rest: checkpoints.rest(loader, saved),
        onAccumulated: (batch) => checkpoints.note(batch, statistics),
      },
    );
    await checkpoints.write(statistics);
    return samples;
  }
}
