import type { CustomLoss } from '../../src/index.ts';
import { buildTrainingGraph, type TrainingGraph } from '../../src/training-graph.ts';
import { askedOf } from './activation-slopes.mjs';

/** Targets of 1 make each element's gradient its slope. */
const sum: CustomLoss = (graph, prediction, target) => graph.reduceSum(graph.mul(prediction, target));

/** The training graph of a model of `test/fixtures/activations`, and its feeds for a grid of x. */
export function activationGraph(
  name: string,
  model: Uint8Array,
  grid: ArrayLike<number>,
): { graph: TrainingGraph; gradient: string; feeds: Record<string, Float32Array> } {
  const asked = askedOf(name);
  const graph = buildTrainingGraph(model, { loss: sum, wrt: [asked] });
  const feeds = Object.fromEntries(
    graph.inputs.map((input) => [
      input,
      input === 'x' ? Float32Array.from(grid) : new Float32Array(grid.length).fill(1),
    ]),
  );
  return { graph, gradient: graph.gradients[asked]!, feeds };
}
