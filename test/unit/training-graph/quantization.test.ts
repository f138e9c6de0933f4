import { describe, expect, test } from 'vitest';
import { numericTensor } from '../../../src/onnx/tensor.ts';
import { buildTrainingGraph, DataType } from '../../../src/training-graph.ts';
import { checkGradients } from '../../support/gradient-check.ts';
import { attribute, onnxFile, type TestNode } from '../../support/single-op.ts';

const quantized = numericTensor(DataType.int8, [2, 3, 2], [1, -3, 7, 5, 2, -8, 0, 1, 2, 100, -128, 127]);
const positive = (x: number): number => Math.abs(x) + 0.3;

describe('DequantizeLinear', () => {
  test.each([
    ['one scale', [], [], 1],
    ['a scale for each position along an axis', [3], [3], 1],
    ['along the last axis', [2], [2], -1],
    ['along the first axis', [2], [2], 0],
  ])('%s', async (_, scaleDims, zeroDims, axis) => {
    const size = zeroDims.reduce((a, b) => a * b, 1);
    const node = (inputs: string[]): TestNode => ({
      op: 'DequantizeLinear',
      inputs,
      outputs: ['d'],
      attributes: { axis: attribute.int(axis) },
    });
    const product: TestNode = { op: 'Mul', inputs: ['x', 'd'], outputs: ['y'] };
    const inputs = { x: [2, 3, 2], s: scaleDims };
    await checkGradients({
      inputs,
      constants: { q: quantized },
      nodes: [node(['q', 's']), product],
      values: positive,
    });
    const zero = numericTensor(
      DataType.int8,
      zeroDims,
      Array.from({ length: size }, (_, i) => 3 * i - 2),
    );
    await checkGradients({
      inputs,
      constants: { q: quantized, z: zero },
      nodes: [node(['q', 's', 'z']), product],
      values: positive,
    });
  });
});

test('rounding to whole numbers on a needed path is refused, and off it works', () => {
  const constants = {
    s: numericTensor(DataType.float32, [], [0.1]),
    z: numericTensor(DataType.int8, [], [3]),
  };
  const nodes: TestNode[] = [
    { op: 'Tanh', inputs: ['x'], outputs: ['t'] },
    { op: 'QuantizeLinear', inputs: ['t', 's', 'z'], outputs: ['q'] },
    { op: 'DequantizeLinear', inputs: ['q', 's', 'z'], outputs: ['d'] },
    { op: 'Add', inputs: ['d', 'v'], outputs: ['y'] },
  ];
  const bytes = onnxFile({ inputs: { x: [2], v: [2] }, constants, nodes, outputs: ['y'] });
  expect(() => buildTrainingGraph(bytes, { wrt: ['x'] })).toThrow(
    "QuantizeLinear 'node1' has no gradient rule; it lies on the path x -> t -> q -> d -> y",
  );
  expect(buildTrainingGraph(bytes, { wrt: ['v'] }).disconnected).toEqual([]);
});
