import { readFileSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { activationGraph } from '../../support/activation-graph.ts';
import { slopeErrors, TOLERANCE } from '../../support/activation-slopes.mjs';
import { npzArrays } from '../../support/npz-arrays.ts';
import { runOnnx } from '../../support/run-onnx.ts';

const folder = new URL('../../fixtures/activations/', import.meta.url);
const slopes = npzArrays(readFileSync(new URL('slopes.npz', folder)));
const grid = slopes.x!.data;
const names = readdirSync(folder).flatMap((file) => (file.endsWith('.onnx') ? [file.slice(0, -5)] : []));

test.each(names)('wasm: the slope of %s is right wherever torch in float32 is', async (name) => {
  const model = readFileSync(new URL(`${name}.onnx`, folder));
  const { graph, gradient, feeds } = activationGraph(name, model, grid);
  const inputs = Object.fromEntries(
    Object.entries(feeds).map(([input, data]) => [input, { dims: [grid.length], data }]),
  );
  const found = (await runOnnx(graph.bytes, inputs))[gradient]!.data;
  const errors = slopeErrors(grid, found, slopes[name]!.data, slopes[`${name}.torch`]!.data);
  expect(errors.points).toBeGreaterThan(30);
  expect(errors.ours, `at ${errors.at}`).toBeLessThan(TOLERANCE);
});
