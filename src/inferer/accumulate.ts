import type { Batch } from '../data/batches.ts';
import { checkBatch } from '../data/check-batch.ts';
import type { ChannelBatch, MagnitudeBatch } from '../engine/engine.ts';
import { MagnitudeEdgeError } from '../errors.ts';
import { regroups, type BatchSizes } from '../model/batch-sizes.ts';
import type { InfererModel } from '../model/external-model.ts';
import { createYielder, type Yielder } from '../statistics/yielder.ts';
import type { FitSettings } from './fit-settings.ts';
import type { FitValuesOptions } from './inferer-options.ts';
import type { InfererStatistics } from './inferer-statistics.ts';

/** The values of a batch, until they are disposed of. */
interface RunValues {
  readonly values: ChannelBatch | MagnitudeBatch;
  readonly dispose: () => void;
}

type RunBatch<T> = RunValues & { readonly batch: T };

export interface Runner<T> {
  /** @param index batches before this one */
  (batch: T, index: number): Promise<RunValues>;
  /** Batches to run before earlier ones have been accumulated; none by default */
  readonly ahead?: number;
}

/** A loader that tells whether its batches are those of the loss. */
type MaybeRegrouped = Partial<BatchSizes> & (Iterable<Batch> | AsyncIterable<Batch>);

/**
 * Runs batches through a model.
 * @param onGpu whether the values stay on the GPU
 * @param loader what the batches come from
 */
export async function modelRunner(
  model: InfererModel,
  { loss, edgeMask }: FitSettings,
  { usePreNorm, onGpu }: { readonly usePreNorm: boolean; readonly onGpu: boolean },
  loader: MaybeRegrouped,
): Promise<Runner<Batch>> {
  // A sum is the same however its samples are grouped, except if a custom loss is called one.
  const ofMean = loss.lossReduction === 'mean' || typeof loss.loss === 'function';
  const sessionFor = (regrouped: boolean) =>
    model.trainingSession({ ...loss, usePreNorm, onGpu, weighsSamples: regrouped && ofMean });
  // Prepared for the first batch, so that a loss that cannot be regrouped is refused before the statistics are reset.
  const session = await sessionFor(regroups(loader));
  const run = async (batch: Batch, index: number): Promise<RunValues> => {
    const checked = checkBatch(batch, index, model.graph, loss.maskMissingTargets);
    const { x, y, size } = checked;
    const lossBatches = ofMean ? checked.lossBatches : undefined;
    const weighing = lossBatches && !session.weighsSamples ? await sessionFor(true) : session;
    const values = await weighing.run(x, y, size, edgeMask, lossBatches);
    return {
      values,
      dispose: () => {
        values.dispose();
      },
    };
  };
  return Object.assign(run, { ahead: session.runsBeside ? 1 : 0 });
}

/** Where a fit resumes. */
export interface Resumed<T> {
  /** Batches and samples already in the statistics */
  readonly batches: number;
  readonly samples: number;
  /** The batches after them */
  readonly rest: Iterable<T> | AsyncIterable<T>;
  /** Called when a batch is in the statistics */
  readonly onAccumulated?: (batch: T) => Promise<void>;
}

/**
 * Adds the batches of a loader to the statistics, one after the other.
 *
 * @returns n, the samples held
 * @throws what the loader, the runner and the engine throw; a refused batch in the model's terms
 */
export async function accumulate<T>(
  statistics: InfererStatistics,
  loader: Iterable<T> | AsyncIterable<T>,
  run: Runner<T>,
  {
    onProgress,
    signal,
    channelsLater = false,
  }: Pick<FitValuesOptions, 'onProgress' | 'signal' | 'channelsLater'>,
  resumed: Resumed<T> = { batches: 0, samples: 0, rest: loader },
): Promise<number> {
  await statistics.forgetRefusal();
  const { held } = statistics;
  let { batches, samples } = resumed;
  const firstBatch = held.tally.batches - batches;
  const yielder = createYielder(signal);
  try {
    for await (const { batch, values, dispose } of runInOrder(resumed.rest, run, batches, yielder)) {
      try {
        const kept = await readKept(statistics, values, channelsLater);
        // A batch during which the signal was aborted is not counted.
        await yielder();
        await statistics.accumulate(values, kept.magnitudes, kept.channelValues, signal);
      } finally {
        dispose();
      }
      batches++;
      samples += values.size;
      await resumed.onAccumulated?.(batch);
      onProgress?.({ batch: batches, samples, ...lengthOf(loader) });
    }
    return await statistics.flush();
  } catch (error) {
    throw statistics.noteRefusal(held, error, firstBatch);
  }
}

/** Batches with their values, in order. Errors of a batch, or of the loader after it, are thrown in order too. */
async function* runInOrder<T>(
  loader: Iterable<T> | AsyncIterable<T>,
  run: Runner<T>,
  first: number,
  yielder: Yielder,
): AsyncGenerator<RunBatch<T>, void, undefined> {
  const begun: Promise<RunBatch<T>>[] = [];
  try {
    for await (const { ran } of beginRuns(loader, run, first, yielder)) {
      ran.catch(ignore);
      begun.push(ran);
      if (begun.length > (run.ahead ?? 0)) yield await begun.shift()!;
    }
    while (begun.length > 0) yield await begun.shift()!;
  } finally {
    for (const ran of begun) {
      void ran.then(({ dispose }) => {
        dispose();
      }, ignore);
    }
  }
}

async function* beginRuns<T>(
  loader: Iterable<T> | AsyncIterable<T>,
  run: Runner<T>,
  first: number,
  yielder: Yielder,
): AsyncGenerator<{ readonly ran: Promise<RunBatch<T>> }, void, undefined> {
  let index = first;
  try {
    for await (const batch of loader) {
      await yielder();
      yield { ran: run(batch, index++).then((values) => ({ batch, ...values })) };
    }
  } catch (cause) {
    const why = cause as Error;
    yield { ran: Promise.reject(why) };
  }
}

function ignore(): void {
  // Thrown when it is this run's turn.
}

/** What is kept of a batch in addition to the engine's statistics. */
async function readKept(
  { uncertainty, channels }: InfererStatistics,
  values: ChannelBatch | MagnitudeBatch,
  channelsLater: boolean,
) {
  if (!('x' in values)) {
    return { magnitudes: await uncertainty?.read(values), channelValues: await channels?.read(values) };
  }
  if (uncertainty) {
    throw new MagnitudeEdgeError(
      'invalid-argument',
      'Uncertainty needs channel values, not magnitudes alone.',
    );
  }
  if (!channelsLater) channels?.skip();
  return { magnitudes: undefined, channelValues: undefined };
}

function lengthOf(loader: Iterable<unknown> | AsyncIterable<unknown>): { batches?: number } {
  return 'length' in loader && typeof loader.length === 'number' ? { batches: loader.length } : {};
}
