import { MagnitudeEdgeError } from '../errors.ts';
import { firstNonFinite } from '../first-non-finite.ts';
import type { GsnnGraph, NodeType } from '../model/graph.ts';
import type { LossBatch } from '../model/loss-batches.ts';
import type { Batch } from './batch.ts';
import { missingTargetHint, missingTargetOption } from './reading.ts';
import { toRowMajor } from './row-major.ts';

/** A batch of the model's sizes, row-major, without infinities; NaN only for targets that may be missing. */
export interface CheckedBatch {
  /** B, samples in the batch */
  readonly size: number;
  /** `[size, inputs]` */
  readonly x: Float32Array;
  /** `[size, outputs]` */
  readonly y: Float32Array;
  readonly lossBatches: readonly LossBatch[] | undefined;
}

/**
 * Checks a batch against the model's graph before anything is computed from it.
 * @param index number of the batch in its loader, from 0, for the messages
 * @param missingTargets whether a NaN in `y` stands for a missing target
 * @throws MagnitudeEdgeError `batch-mismatch` for sizes that disagree with the model, `non-finite` naming the node and
 * the sample of the first NaN or infinity
 */
export function checkBatch(
  batch: Batch,
  index: number,
  graph: GsnnGraph,
  missingTargets = false,
): CheckedBatch {
  const { size, lossBatches } = batch;
  if (!Number.isSafeInteger(size) || size < 1) {
    throw new MagnitudeEdgeError(
      'batch-mismatch',
      `Batch ${index} has size ${String(size)}, a whole number of at least 1 was expected.`,
      { details: { batch: index } },
    );
  }
  const held = lossBatches?.reduce((sum, { samples }) => sum + samples, 0) ?? size;
  if (held !== size) {
    throw new MagnitudeEdgeError(
      'batch-mismatch',
      `Batch ${index} has ${size} samples, but its lossBatches have ${held}.`,
      { details: { batch: index } },
    );
  }
  const { input, output } = graph.nodeNames;
  const x = toRowMajor(batch.x, size, input.length, `batch ${index}, x (inputs)`, { batch: index });
  const y = toRowMajor(batch.y, size, output.length, `batch ${index}, y (outputs)`, { batch: index });
  checkFinite(x, input, 'input', index);
  checkFinite(y, output, 'output', index, missingTargets);
  return { size, x, y, lossBatches };
}

function checkFinite(
  values: Float32Array,
  names: readonly string[],
  type: NodeType,
  batch: number,
  allowsNaN = false,
): void {
  const at = allowsNaN ? values.findIndex((value) => Math.abs(value) === Infinity) : firstNonFinite(values);
  if (at === -1) return;
  const sample = Math.floor(at / names.length);
  const node = names[at % names.length]!;
  const found = values[at]!;
  const missing = type === 'output' && Number.isNaN(found);
  const wayOut = missing ? missingTargetHint : '';
  throw new MagnitudeEdgeError(
    'non-finite',
    `Batch ${batch} holds ${found} for ${type} node '${node}' in sample ${sample}: every value must be finite${wayOut}; the statistics of earlier batches are unchanged.`,
    { details: { batch, node, type, sample, ...(missing ? missingTargetOption : {}) } },
  );
}
