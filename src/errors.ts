/**
 * What went wrong, in a form that programs can compare. Codes are stable; messages may be reworded.
 *
 * - `invalid-argument`: an option or argument that the call does not accept
 * - `invalid-model`: a file that is not an ONNX model of profile v1 (unreadable, wrong version, missing values, wrong
 *   types)
 * - `unsupported-op`: an operator without a gradient rule on a path that needs one
 * - `unsupported-model`: a model that the method cannot handle (checkpointing, too few blocks, a norm that erases
 *   magnitudes)
 * - `graph-mismatch`: names, sizes, channel map or statistics that disagree with the model or the graph
 * - `batch-mismatch`: a batch whose sizes disagree with the model
 * - `non-finite`: NaN or an infinity in a batch, or in the model's values
 * - `too-few-samples`: scores requested with fewer than three samples
 * - `no-positives`: a ranking without positive edges
 * - `invalid-data`: a data, table or statistics file that cannot be read as such
 * - `no-adapter`: WebGPU requested, but there is no adapter
 * - `device-lost`: the GPU device was lost
 * - `gpu-validation`: the GPU refused a shader or a command (an error of this library, or a limit of the device)
 * - `out-of-memory`: more memory than the device or the runtime can allocate
 * - `runtime`: onnxruntime-web refused the model or failed while running it
 * - `released`: use after release
 * - `busy`: a call that cannot run while another one is running
 */
export type ErrorCode =
  | 'invalid-argument'
  | 'invalid-model'
  | 'unsupported-op'
  | 'unsupported-model'
  | 'graph-mismatch'
  | 'batch-mismatch'
  | 'non-finite'
  | 'too-few-samples'
  | 'no-positives'
  | 'invalid-data'
  | 'no-adapter'
  | 'device-lost'
  | 'gpu-validation'
  | 'out-of-memory'
  | 'runtime'
  | 'released'
  | 'busy';

/** Facts about an error for programs, in addition to the message: the batch, node, value or file at fault. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean | readonly (string | number)[]>>;

/** The only error class that this library throws on purpose (an aborted signal throws its own reason). */
export class MagnitudeEdgeError extends Error {
  override readonly name = 'MagnitudeEdgeError';
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, options: { details?: ErrorDetails; cause?: unknown } = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.details = options.details ?? {};
  }
}
