import type { Batch, GsnnModel, Loss, Reduction } from 'magnitude-edge';
import { nextTask } from './clock.ts';

/** Most numbers kept, 4 bytes each; the more nodes, the fewer samples. */
const budget = 8_000_000;
const mostSamples = 2000;

/** Magnitudes of the first samples, for scatters: `[samples, nodes]` for each layer pair. */
export interface MagnitudeSample {
  readonly samples: number;
  readonly nodes: number;
  readonly x: readonly Float32Array[];
  readonly y: readonly Float32Array[];
}

interface Request {
  readonly model: GsnnModel;
  readonly batches: AsyncIterable<Batch>;
  readonly loss: Loss;
  readonly usePreNorm: boolean;
  readonly reduction: Reduction;
  readonly signal: AbortSignal;
}

/**
 * Runs the model over as many samples as a scatter can use, and computes the norms of its values (method.md,
 * "Magnitudes").
 */
export async function sampleMagnitudes(request: Request): Promise<MagnitudeSample> {
  const { model, loss, usePreNorm } = request;
  const nodes = model.graph.nodeNames.function.length;
  const pairs = model.layers - 1;
  const most = Math.max(1, Math.min(mostSamples, Math.floor(budget / (2 * nodes * pairs))));
  const session = await model.trainingSession({ loss, usePreNorm });
  const blank = () => Array.from({ length: pairs }, () => new Float32Array(most * nodes));
  const [x, y] = [blank(), blank()];
  let samples = 0;
  for await (const batch of request.batches) {
    const values = await session.run(rowMajor(batch.x), rowMajor(batch.y), batch.size);
    const taken = Math.min(batch.size, most - samples);
    for (let pair = 0; pair < pairs; pair++) {
      addNorms(x[pair]!, samples, taken, values.activations[pair]!, request);
      addNorms(y[pair]!, samples, taken, values.gradients[pair]!, request);
    }
    values.dispose();
    samples += taken;
    if (samples === most) break;
    await nextTask();
    request.signal.throwIfAborted();
  }
  return { samples, nodes, x, y };
}

/** Writes norms over the channels of each node, from row `first` on. */
function addNorms(
  into: Float32Array,
  first: number,
  rows: number,
  values: Float32Array | GPUBuffer,
  { model, reduction }: Request,
): void {
  if (!(values instanceof Float32Array)) return;
  const groups = model.channelGroups;
  const nodes = model.graph.nodeNames.function.length;
  for (let row = 0; row < rows; row++) {
    const start = (first + row) * nodes;
    for (let channel = 0; channel < groups.length; channel++) {
      const value = values[row * groups.length + channel]!;
      into[start + groups[channel]!]! += reduction === 'l1' ? Math.abs(value) : value * value;
    }
    if (reduction === 'l2')
      for (let node = 0; node < nodes; node++) into[start + node] = Math.sqrt(into[start + node]!);
  }
}

const rowMajor = (values: Batch['x']): Float32Array =>
  values instanceof Float32Array ? values : Float32Array.from(values.flatMap((row) => Array.from(row)));

/** One node's column. */
export function columnOf(
  matrix: Float32Array,
  node: number,
  { samples, nodes }: MagnitudeSample,
): Float32Array {
  return Float32Array.from({ length: samples }, (_, row) => matrix[row * nodes + node]!);
}
