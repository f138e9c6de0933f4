import { expect } from 'vitest';
import type { CustomLoss } from '../../src/index.ts';
import { buildTrainingGraph, type Dimension, type Tensor } from '../../src/training-graph.ts';
import { normalNumbers } from './random-numbers.ts';
import { ndArray, sizeOf, type NdArray } from './onnx-evaluator/array.ts';
import { evaluate } from './onnx-evaluator/evaluate.ts';
import { relativeError, runOnnx } from './run-onnx.ts';
import { onnxModel, type TestModel, type TestNode } from './single-op.ts';

export interface GradientCase {
  /** Shapes of the inputs whose gradients are checked; values are normal, or made from normal ones by `values`. */
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  readonly constants?: Readonly<Record<string, Tensor>>;
  readonly nodes: readonly TestNode[];
  /** The value that the loss weights; default 'y'. */
  readonly output?: string;
  readonly values?: (normal: number, index: number, input: string) => number;
  /** Declares every axis of the inputs as a size known only at run time. */
  readonly dynamic?: boolean;
  readonly opset?: number;
  readonly seed?: number;
  /** Skips the run in wasm: for operators without a wasm kernel. */
  readonly float64Only?: boolean;
}

/** Random weights make every element of the output count, each differently. */
const weightedSum: CustomLoss = (graph, prediction, target) => graph.reduceSum(graph.mul(prediction, target));

/**
 * Compares the gradients of a small graph with central differences in float64, and the same training graph run by
 * onnxruntime in float32 with its float64 run.
 */
export async function checkGradients(testCase: GradientCase): Promise<void> {
  const { inputs, constants = {}, nodes, output = 'y', dynamic = false, opset = 18 } = testCase;
  const wrt = Object.keys(inputs);
  const normal = normalNumbers(testCase.seed ?? 1);
  const value = testCase.values ?? ((x: number) => x);
  // Float32 values, so that both runs read the same numbers.
  const feeds = Object.fromEntries(
    Object.entries(inputs).map(([name, dims]) => [
      name,
      ndArray(
        dims,
        Array.from({ length: sizeOf(dims) }, (_, i) => Math.fround(value(normal(), i, name))),
      ),
    ]),
  );
  const model: TestModel = {
    inputs: Object.fromEntries(
      Object.entries(inputs).map(([name, dims]): [string, Dimension[]] => [
        name,
        dims.map((size, axis) => (dynamic ? `${name}_${axis}` : size)),
      ]),
    ),
    constants,
    nodes,
    outputs: [output],
    opset,
  };
  const forward = onnxModel(model);
  const result = evaluate(forward, feeds).get(output)!;
  const weights = ndArray(
    result.dims,
    result.data.map(() => Math.fround(normal())),
  );

  const built = buildTrainingGraph(forward, { loss: weightedSum, wrt, prediction: output });
  const computed = evaluate(built.model, { ...feeds, [built.target]: weights });
  const loss = (at: Record<string, NdArray>): number =>
    evaluate(forward, at)
      .get(output)!
      .data.reduce((sum, y, i) => sum + y * weights.data[i]!, 0);
  for (const name of wrt) {
    const gradient = computed.get(built.gradients[name]!)!;
    expect(gradient.dims, `shape of the gradient of ${name}`).toEqual(inputs[name]);
    // Steps of 1e-6 leave errors of about 1e-9; float32 constants in the rules (2 / sqrt(pi), ...) add 6e-8.
    expect(
      relativeError(gradient.data, centralDifferences(loss, feeds, name)),
      `gradient of ${name}`,
    ).toBeLessThan(1e-6);
  }
  if (testCase.float64Only === true) return;
  const run = await runOnnx(built.bytes, { ...feeds, [built.target]: weights });
  for (const name of wrt) {
    const output32 = run[built.gradients[name]!]!;
    const expected = computed.get(built.gradients[name]!)!;
    expect(output32.dims).toEqual(expected.dims);
    expect(relativeError(output32.data, expected.data), `float32 gradient of ${name}`).toBeLessThan(1e-5);
  }
}

function centralDifferences(
  loss: (feeds: Record<string, NdArray>) => number,
  feeds: Record<string, NdArray>,
  name: string,
): number[] {
  const { dims, data } = feeds[name]!;
  return Array.from(data, (x, i) => {
    const step = 1e-6 * Math.max(1, Math.abs(x));
    const moved = (by: number): number => loss({ ...feeds, [name]: ndArray(dims, data.with(i, x + by)) });
    return (moved(step) - moved(-step)) / (2 * step);
  });
}
