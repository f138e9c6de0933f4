import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { checkOnnxCase } from '../../support/onnx-case.ts';

/** One folder each, with `model.onnx` and `case.json`; a new folder is a new test. */
const folder = new URL('../../fixtures/onnx-cases/', import.meta.url);
const names = readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? [entry.name] : [],
);

test('there are cases', () => {
  expect(names.length).toBeGreaterThan(0);
});

test.each(names)('%s', async (name) => {
  await checkOnnxCase(new URL(`${name}/`, folder));
});
