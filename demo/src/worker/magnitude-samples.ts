import { MagnitudeEdgeError } from 'magnitude-edge';
import type { Params } from '../results/params.ts';
import { columnOf, sampleMagnitudes, type MagnitudeSample } from './magnitude-sample.ts';
import { batchesOf, type OpenedFiles } from './opened-files.ts';
import type { PairMagnitudes } from './protocol.ts';

/** Magnitudes for scatters: the model runs for them once, and again only for other files or options. */
export class MagnitudeSamples {
  #kept: { key: string; sample: Promise<MagnitudeSample> } | null = null;
  #stopping = new AbortController();

  /** Aborts the sampling under way. */
  stop(): void {
    this.#stopping.abort();
  }

  forget(): void {
    this.#kept = null;
  }

  async pair(
    files: OpenedFiles | null,
    params: Params,
    [source, target, others]: readonly [number, number, readonly number[]],
    signal: AbortSignal,
  ): Promise<PairMagnitudes> {
    this.#stopping = new AbortController();
    const sample = await this.#sample(files, params, AbortSignal.any([signal, this.#stopping.signal]));
    const column = (node: number) => (matrix: Float32Array) => columnOf(matrix, node, sample);
    return {
      x: sample.x.map(column(source)),
      y: sample.y.map(column(target)),
      others: sample.x.map((matrix) => others.map((node) => columnOf(matrix, node, sample))),
    };
  }

  #sample(files: OpenedFiles | null, params: Params, signal: AbortSignal): Promise<MagnitudeSample> {
    if (!files?.data)
      throw new MagnitudeEdgeError('invalid-argument', 'A scatter needs the model and the data.');
    const { model, data } = files;
    const { loss, usePreNorm, reduction } = params;
    const key = JSON.stringify([loss, usePreNorm, reduction]);
    if (this.#kept?.key !== key) {
      const batches = batchesOf(model, data.file, params);
      const sample = sampleMagnitudes({ model, batches, loss, usePreNorm, reduction, signal });
      this.#kept = { key, sample };
      // A failure is not cached.
      sample.catch(() => {
        this.#kept = null;
      });
    }
    return this.#kept.sample;
  }
}
