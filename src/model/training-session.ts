import { MagnitudeEdgeError } from '../errors.ts';
import { sampleWeights, wholeLossBatch, type LossBatch } from './loss-batches.ts';
import type { CompleteLoss } from './loss-settings.ts';
import type { RuntimeOutput } from './runtime-outputs.ts';
import type { HostTensor, RuntimeSession } from './runtime.ts';

/** The values of one batch; `[size, channels]` each, row-major, on the host or on the model's device. */
export interface BlockValues {
  /** B, samples in the batch */
  readonly size: number;
  /** L - 1 entries: values of blocks 0 .. L - 2 */
  readonly activations: readonly (Float32Array | GPUBuffer)[];
  /** L - 1 entries: gradients of the loss with respect to the values of blocks 1 .. L - 1 */
  readonly gradients: readonly (Float32Array | GPUBuffer)[];
  /** Whether the caller owns arrays on the host for good: nobody else reads them. */
  readonly transferable: boolean;
  /** Frees the memory; for values on the GPU after the submit that reads them. */
  dispose(): void;
}

/** Names and sizes to run a training graph with. */
export interface TrainingSignature {
  readonly input: string;
  readonly inputs: number;
  readonly target: string;
  /** The input that weighs samples, `[size, 1]`, and the loss to weigh them for; undefined if the graph has none. */
  readonly weighting: { readonly input: string; readonly loss: CompleteLoss } | undefined;
  readonly outputs: number;
  readonly channels: number;
  /** The input that switches edges off, `[edges]`; undefined if the graph has none. */
  readonly edgeMask: { readonly input: string; readonly edges: number } | undefined;
  /** Output names, blocks 0 .. L - 2 */
  readonly activations: readonly string[];
  /** Output names, blocks 1 .. L - 1 */
  readonly gradients: readonly string[];
}

/** A training graph ready to run: samples in, activations and gradients out. */
export class TrainingSession {
  readonly #session: RuntimeSession;
  readonly #signature: TrainingSignature;

  constructor(session: RuntimeSession, signature: TrainingSignature) {
    this.#session = session;
    this.#signature = signature;
  }

  /** Whether runs take place on another thread. */
  get runsBeside(): boolean {
    return this.#session.onOwnThread;
  }

  /** Whether `run` takes `lossBatches`. */
  get weighsSamples(): boolean {
    return this.#signature.weighting !== undefined;
  }

  /**
   * Runs forward, loss and backward over one batch.
   * @param x `[size, inputs]`, row-major
   * @param y `[size, outputs]`, row-major
   * @param edgeMask `[edges]` in the order of `maskableEdges`, 0 for an edge to leave out; default: all ones
   * @param lossBatches the batches that a mean loss is taken over, in the order of the samples; default: this one
   * @returns values owned by the caller: call `dispose` when they have been read
   * @throws MagnitudeEdgeError `runtime`, `device-lost`, `released`; `graph-mismatch` if the model's values have
   * another size than its channel map; `invalid-argument` for a mask of another length, or if there is no input for it;
   * `invalid-argument` for `lossBatches` unless {@link weighsSamples}; `batch-mismatch` if they have other samples
   */
  async run(
    x: Float32Array,
    y: Float32Array,
    size: number,
    edgeMask?: Float32Array,
    lossBatches?: readonly LossBatch[],
  ): Promise<BlockValues> {
    const { input, inputs, target, outputs, activations, gradients } = this.#signature;
    const run = await this.#session.run(
      {
        [input]: { data: x, dims: [size, inputs] },
        [target]: { data: y, dims: [size, outputs] },
        ...this.#weightsFeed(lossBatches, y, size),
        ...this.#maskFeed(edgeMask),
      },
      [...activations, ...gradients],
    );
    const read = (name: string): Float32Array | GPUBuffer => this.#checked(run.get(name), name, size);
    try {
      return {
        size,
        activations: activations.map(read),
        gradients: gradients.map(read),
        transferable: this.runsBeside,
        dispose: () => {
          run.dispose();
        },
      };
    } catch (error) {
      run.dispose();
      throw error;
    }
  }

  release(): Promise<void> {
    return this.#session.release();
  }

  #weightsFeed(
    lossBatches: readonly LossBatch[] | undefined,
    y: Float32Array,
    size: number,
  ): Record<string, HostTensor> {
    const { weighting, outputs } = this.#signature;
    if (!weighting) {
      if (lossBatches === undefined) return {};
      throw new MagnitudeEdgeError(
        'invalid-argument',
        'lossBatches needs a session that weighs samples: trainingSession({ weighsSamples: true }).',
      );
    }
    const { input, loss } = weighting;
    const data = sampleWeights(lossBatches ?? [wholeLossBatch(y, size)], loss, outputs);
    if (data.length === size) return { [input]: { data, dims: [size, 1] } };
    throw new MagnitudeEdgeError(
      'batch-mismatch',
      `The batches of the loss have ${data.length} samples in a run of ${size} samples.`,
    );
  }

  #maskFeed(mask: Float32Array | undefined): Record<string, HostTensor> {
    const expected = this.#signature.edgeMask;
    if (mask && mask.length !== (expected?.edges ?? 0)) {
      throw new MagnitudeEdgeError(
        'invalid-argument',
        `The edge mask has ${mask.length} values, but the model takes ${expected ? expected.edges : 'none'}.`,
      );
    }
    if (!expected) return {};
    const { input, edges } = expected;
    return { [input]: { data: mask ?? new Float32Array(edges).fill(1), dims: [edges] } };
  }

  #checked({ dims, values }: RuntimeOutput, name: string, size: number): Float32Array | GPUBuffer {
    const { channels } = this.#signature;
    const elements = dims.reduce((product, extent) => product * extent, 1);
    if (dims[0] === size && elements === size * channels) return values;
    throw new MagnitudeEdgeError(
      'graph-mismatch',
      `The model's value '${name}' is [${dims.join(', ')}] for ${size} samples, but its channel map has ${channels} channels.`,
      { details: { value: name, channels } },
    );
  }
}
