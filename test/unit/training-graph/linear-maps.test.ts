import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CustomLoss } from '../../../src/index.ts';
import { buildTrainingGraph, type Tensor } from '../../../src/training-graph.ts';
import { float32Tensor, int64Tensor } from '../../../src/onnx/tensor.ts';
import { ndArray, type NdArray } from '../../support/onnx-evaluator/array.ts';
import { evaluate } from '../../support/onnx-evaluator/evaluate.ts';
import { randomNumbers } from '../../support/random-numbers.ts';
import { relativeError, runOnnx } from '../../support/run-onnx.ts';
import { attribute, onnxFile, onnxModel, type TestModel } from '../../support/single-op.ts';

const { int, string } = attribute;
const weightedSum: CustomLoss = (graph, prediction, target) => graph.reduceSum(graph.mul(prediction, target));

/** Edges with weights, as message passing reads and writes them. */
interface Edges {
  readonly nodes: number;
  readonly source: readonly number[];
  readonly target: readonly number[];
  readonly weight: readonly number[];
}

/** y = relu(x[:, source] * weight summed into target), as torch exports index_select and index_add. */
function messagePassing({ nodes, source, target, weight }: Edges): TestModel {
  const edges = source.length;
  return {
    inputs: { x: ['batch', nodes] },
    constants: {
      source: int64Tensor([edges], source),
      target: int64Tensor([edges, 1], target),
      weight: float32Tensor([edges], weight),
      zero: float32Tensor([], [0]),
    },
    nodes: [
      { op: 'Gather', inputs: ['x', 'source'], outputs: ['read'], attributes: { axis: int(1) } },
      { op: 'Mul', inputs: ['read', 'weight'], outputs: ['messages'] },
      { op: 'Shape', inputs: ['x'], outputs: ['shape'] },
      { op: 'Expand', inputs: ['zero', 'shape'], outputs: ['zeros'] },
      { op: 'Transpose', inputs: ['zeros'], outputs: ['zerosT'] },
      { op: 'Transpose', inputs: ['messages'], outputs: ['messagesT'] },
      {
        op: 'ScatterND',
        inputs: ['zerosT', 'target', 'messagesT'],
        outputs: ['sumT'],
        attributes: { reduction: string('add') },
      },
      { op: 'Transpose', inputs: ['sumT'], outputs: ['sum'] },
      { op: 'Relu', inputs: ['sum'], outputs: ['y'] },
    ],
    outputs: ['y'],
  };
}

/** Layers of message passing one after the other; layers over the same edges have their constants in common. */
function layersOf(layers: readonly Edges[]): TestModel {
  const constants: Record<string, Tensor> = {};
  const nodes = layers.flatMap((edges, at) => {
    const layer = messagePassing(edges);
    const own = `edges${layers.indexOf(edges)}`;
    for (const [name, tensor] of Object.entries(layer.constants!)) constants[`${own}.${name}`] = tensor;
    const renamed = (name: string): string => {
      if (name in layer.constants!) return `${own}.${name}`;
      if (name === 'x') return at === 0 ? 'x' : `${at - 1}.y`;
      return name === 'y' && at === layers.length - 1 ? 'y' : `${at}.${name}`;
    };
    return layer.nodes.map((node) => ({
      ...node,
      inputs: node.inputs.map(renamed),
      outputs: node.outputs.map(renamed),
    }));
  });
  return { inputs: { x: ['batch', layers[0]!.nodes] }, constants, nodes, outputs: ['y'] };
}

function randomEdges(nodes: number, count: number, seed: number): Edges {
  const random = randomNumbers(seed);
  const pick = () => Array.from({ length: count }, () => Math.floor(random() * nodes));
  // Weights are multiples of 1/8, some of them 0, so that sums are exact.
  return {
    nodes,
    source: pick(),
    target: pick(),
    weight: pick().map(() => Math.round(random() * 16 - 8) / 8),
  };
}

/** Sums and gradients by the definition, in float64. */
function byDefinition({ nodes, source, target, weight }: Edges, x: NdArray, g: NdArray) {
  const batch = x.dims[0]!;
  const sum = new Float64Array(batch * nodes);
  const gradient = new Float64Array(batch * nodes);
  for (let b = 0; b < batch; b++) {
    source.forEach((s, e) => (sum[b * nodes + target[e]!]! += weight[e]! * x.data[b * nodes + s]!));
    source.forEach((s, e) => {
      const t = b * nodes + target[e]!;
      if (sum[t]! > 0) gradient[b * nodes + s]! += weight[e]! * g.data[t]!;
    });
  }
  return { y: sum.map((value) => Math.max(value, 0)), gradient };
}

function inputsFor(nodes: number, batch: number, seed: number) {
  const random = randomNumbers(seed);
  const values = () =>
    ndArray(
      [batch, nodes],
      Array.from({ length: batch * nodes }, () => Math.fround(random() * 2 - 1)),
    );
  return { x: values(), g: values() };
}

describe('message passing over fixed edges', () => {
  test('is a product with a sparse matrix, whatever the edges', () => {
    const size = fc.record({
      nodes: fc.integer({ min: 1, max: 12 }),
      count: fc.integer({ min: 1, max: 40 }),
      seed: fc.nat(1e6),
    });
    fc.assert(
      fc.property(size, fc.integer({ min: 1, max: 3 }), ({ nodes, count, seed }, batch) => {
        const edges = randomEdges(nodes, count, seed);
        const { x, g } = inputsFor(nodes, batch, seed);
        const built = buildTrainingGraph(onnxModel(messagePassing(edges)), { loss: weightedSum, wrt: ['x'] });
        const found = evaluate(built.model, { x, [built.target]: g });
        const expected = byDefinition(edges, x, g);
        // Weights and products are rounded nowhere but in float32 constants that hold them exactly.
        expect(relativeError(found.get('y')!.data, expected.y)).toBeLessThan(1e-12);
        expect(relativeError(found.get(built.gradients.x!)!.data, expected.gradient)).toBeLessThan(1e-12);
      }),
      { numRuns: 60 },
    );
  });

  test('in layers that repeat each other, and in such that do not', () => {
    const size = fc.record({
      nodes: fc.integer({ min: 1, max: 9 }),
      count: fc.integer({ min: 1, max: 20 }),
      seed: fc.nat(1e6),
    });
    fc.assert(
      fc.property(
        size,
        fc.array(fc.boolean(), { minLength: 2, maxLength: 4 }),
        ({ nodes, count, seed }, which) => {
          const two = [randomEdges(nodes, count, seed), randomEdges(nodes, count, seed + 1)] as const;
          const layers = which.map((second) => two[Number(second)]!);
          const { x, g } = inputsFor(nodes, 2, seed);
          const built = buildTrainingGraph(onnxModel(layersOf(layers)), { loss: weightedSum, wrt: ['x'] });
          const found = evaluate(built.model, { x, [built.target]: g });
          const values = [x];
          for (const edges of layers)
            values.push(ndArray([2, nodes], byDefinition(edges, values.at(-1)!, g).y));
          expect(relativeError(found.get('y')!.data, values.at(-1)!.data)).toBeLessThan(1e-12);
          const gradient = layers.reduceRight(
            (after, edges, at) => ndArray([2, nodes], byDefinition(edges, values[at]!, after).gradient),
            g,
          );
          expect(relativeError(found.get(built.gradients.x!)!.data, gradient.data)).toBeLessThan(1e-12);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('from a file in memory of any place, as Node gives them', () => {
    const file = onnxFile(messagePassing(randomEdges(400, 2400, 7)));
    const options = { loss: weightedSum, wrt: ['x'] };
    const expected = buildTrainingGraph(file, options).bytes;
    for (const offset of [1, 2, 3]) {
      const bytes = Buffer.alloc(offset + file.length).subarray(offset);
      bytes.set(file);
      expect(buildTrainingGraph(bytes, options).bytes).toEqual(expected);
    }
  });

  test('of hundreds of nodes takes blocks: no scatter, and no matrix of all nodes', async () => {
    const edges = randomEdges(400, 2400, 7);
    const { x, g } = inputsFor(400, 3, 8);
    const built = buildTrainingGraph(onnxFile(messagePassing(edges)), { loss: weightedSum, wrt: ['x'] });
    const ops = built.model.graph.nodes.map(({ opType }) => opType);
    expect(ops.filter((op) => op.startsWith('Scatter'))).toEqual([]);
    const largest = Math.max(
      ...[...built.model.graph.initializers.values()].map(({ bytes }) => bytes.length),
    );
    expect(largest).toBeLessThan(2400 * 2 * 8);
    const expected = byDefinition(edges, x, g);
    const found = await runOnnx(built.bytes, { x, [built.target]: g });
    expect(relativeError(found.y!.data, expected.y)).toBeLessThan(1e-6);
    expect(relativeError(found[built.gradients.x!]!.data, expected.gradient)).toBeLessThan(1e-6);
  });

  test('values on the way that are asked for are there, with gradients of their own', () => {
    const edges = randomEdges(6, 15, 3);
    const { x, g } = inputsFor(6, 2, 4);
    const model = onnxModel(messagePassing(edges));
    const wrt = ['x', 'read', 'messages', 'sum'];
    const plain = (value: string) => evaluate(model, { x }).get(value)!.data;
    const built = buildTrainingGraph(model, { loss: weightedSum, wrt, outputs: ['y', 'messages'] });
    const found = evaluate(built.model, { x, [built.target]: g });
    expect(found.get('messages')!.data).toEqual(plain('messages'));
    expect(
      relativeError(found.get(built.gradients.x!)!.data, byDefinition(edges, x, g).gradient),
    ).toBeLessThan(1e-12);
    const gradientOfSum = found.get(built.gradients.sum!)!;
    const ofMessages = found.get(built.gradients.messages!)!.data;
    const ofRead = found.get(built.gradients.read!)!.data;
    edges.target.forEach((target, e) => {
      for (let b = 0; b < 2; b++) {
        expect(ofMessages[b * 15 + e]).toBe(gradientOfSum.data[b * 6 + target]);
        expect(ofRead[b * 15 + e]).toBe(gradientOfSum.data[b * 6 + target]! * edges.weight[e]!);
      }
    });
  });

  test('stopped values stop there', () => {
    const built = buildTrainingGraph(onnxFile(messagePassing(randomEdges(6, 15, 3))), {
      wrt: ['x', 'messages'],
      stopGradient: ['messages'],
    });
    expect(built.disconnected).toEqual(['x']);
  });

  test('weights that are trained stay inputs', () => {
    const edges = randomEdges(5, 12, 9);
    const { x, g } = inputsFor(5, 2, 10);
    const built = buildTrainingGraph(onnxModel(messagePassing(edges)), {
      loss: weightedSum,
      wrt: ['x'],
      parameters: ['weight'],
    });
    const weight = ndArray([12], built.parameters.weight!.values);
    const found = evaluate(built.model, { x, weight, [built.target]: g });
    const expected = byDefinition(edges, x, g);
    expect(relativeError(found.get(built.gradients.x!)!.data, expected.gradient)).toBeLessThan(1e-12);
    const ofWeight = edges.source.map((s, e) => {
      let sum = 0;
      for (let b = 0; b < 2; b++) {
        if (expected.y[b * 5 + edges.target[e]!]! > 0)
          sum += x.data[b * 5 + s]! * g.data[b * 5 + edges.target[e]!]!;
      }
      return sum;
    });
    expect(relativeError(found.get(built.gradients.weight!)!.data, ofWeight)).toBeLessThan(1e-12);
  });
});
