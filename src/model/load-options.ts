import { checkOneOf } from '../check-one-of.ts';
import type { RequestedSizes } from './batch-sizes.ts';
import type { LossSettings } from './loss-settings.ts';
import type { ReadModelOptions } from './read-model.ts';
import type { ExecutionProvider } from './runtime.ts';

export interface LoadOptions extends ReadModelOptions, LossSettings {
  /** Default 'auto': WebGPU on a hardware adapter, wasm otherwise. */
  readonly executionProvider?: 'auto' | ExecutionProvider;
  /** A device to share: the model and the engine run on it, and do not destroy it. */
  readonly device?: GPUDevice;
  /**
   * The sizes that `batches` will be given, so that the training graph for them is built at load. Default: those of the
   * loss; for others the first fit builds another graph, which only costs time.
   */
  readonly batches?: RequestedSizes | undefined;
}

/** Which values a training session returns, and for which loss; omitted settings are the model's. */
export interface TrainingRequest extends LossSettings {
  /** Values before the norm of each block (default), or the blocks' last activations. */
  readonly usePreNorm?: boolean | undefined;
  /**
   * Whether `run` may be given the batches that a mean loss is taken over (`lossBatches`), rather than one as the run.
   * Default false. Not for a custom loss or a joint export.
   */
  readonly weighsSamples?: boolean | undefined;
  /** Leaves the values on the model's device. Only if the model runs on WebGPU. */
  readonly onGpu?: boolean | undefined;
}

/** @throws MagnitudeEdgeError `invalid-argument` */
export function checkLoadOptions({ executionProvider = 'auto', lossReduction = 'mean' }: LoadOptions): void {
  checkOneOf('executionProvider', executionProvider, ['auto', 'webgpu', 'wasm']);
  checkOneOf('lossReduction', lossReduction, ['mean', 'sum']);
}
