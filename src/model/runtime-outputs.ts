import type * as Ort from 'onnxruntime-web';
import { runtimeError } from './runtime-files.ts';

/** One output tensor of a model. */
export interface RuntimeOutput {
  readonly dims: readonly number[];
  /** A GPU buffer belongs to the runtime, and may be longer than the values. */
  readonly values: Float32Array | GPUBuffer;
}

/** The outputs of one run. */
export interface RuntimeOutputs {
  get(name: string): RuntimeOutput;
  /** Frees the outputs' memory. On the GPU: after the submit that reads them. */
  dispose(): void;
}

/** Tensors of onnxruntime-web. */
export class OrtOutputs implements RuntimeOutputs {
  readonly #tensors: Ort.InferenceSession.OnnxValueMapType;

  constructor(tensors: Ort.InferenceSession.OnnxValueMapType) {
    this.#tensors = tensors;
  }

  get(name: string): RuntimeOutput {
    const tensor = this.#tensors[name];
    if (!tensor) throw runtimeError(`onnxruntime-web gave no output '${name}'`);
    const values = tensor.location === 'gpu-buffer' ? tensor.gpuBuffer : (tensor.data as Float32Array);
    return { dims: tensor.dims, values };
  }

  dispose(): void {
    for (const tensor of Object.values(this.#tensors)) {
      try {
        tensor.dispose();
      } catch {
        // The memory was lost with the device; whatever reads the values reports that.
      }
    }
  }
}
