import fc from 'fast-check';
import { expect, test } from 'vitest';
import { float32Tensor } from '../../../src/onnx/tensor.ts';
import { GraphRecorder } from '../../../src/training-graph/graph-recorder.ts';
import { samplesLast } from '../../../src/training-graph/samples-last.ts';
import { DataType, type OnnxModel } from '../../../src/training-graph.ts';
import { ndArray } from '../../support/onnx-evaluator/array.ts';
import { evaluate } from '../../support/onnx-evaluator/evaluate.ts';
import { randomNumbers } from '../../support/random-numbers.ts';
import { onnxModel } from '../../support/single-op.ts';

/** Three nodes of two channels: values are [samples, 6], [samples, 3, 2] or, with samples last, [6, samples]. */
const NODES = 3;
const CHANNELS = 2;
const FLAT = NODES * CHANNELS;

/** A random graph of what stands around a sparse product: norms, activations, shape changes, and what has no turned form. */
function randomGraph(steps: readonly number[]) {
  const graph = new GraphRecorder(18);
  graph.addInput('x', { elementType: DataType.float32, shape: ['batch', FLAT] });
  const pools = { flat: ['x'], grouped: [] as string[], last: [] as string[] };
  const random = randomNumbers(steps.length);
  const any = (values: readonly string[], fallback: () => string): string =>
    values[Math.floor(random() * values.length)] ?? fallback();
  const flat = () => any(pools.flat, () => 'x');
  const grouped = () => any(pools.grouped, group);
  const last = () => any(pools.last, turn);
  const perm = { perm: { ints: [1, 0] } };
  const constant = (dims: readonly number[]) =>
    graph.constant(float32Tensor(dims, Array.from({ length: dims.reduce((a, b) => a * b, 1) }, random)));
  const put = (pool: keyof typeof pools, value: string): string => {
    pools[pool].push(value);
    return value;
  };
  const turn = () => put('last', graph.op('Transpose', [flat()], perm));
  const group = () => put('grouped', graph.op('Reshape', [flat(), graph.ints([-1, NODES, CHANNELS])]));
  const norm = () => {
    const x = grouped();
    const sum = graph.op('ReduceSum', [x, graph.ints([2])], { keepdims: { int: 1 } });
    return put('grouped', graph.op('Sub', [x, graph.op('Div', [sum, graph.scalar(CHANNELS)])]));
  };
  const moves = [
    turn,
    () => put('flat', graph.op('Transpose', [last()], perm)),
    () => put('last', graph.op('Mul', [last(), constant([FLAT, 1])])),
    () => put('last', graph.op('Gather', [last(), graph.ints([5, 4, 3, 2, 1, 0])], { axis: { int: 0 } })),
    group,
    () => put('flat', graph.op('Reshape', [grouped(), graph.ints([-1, FLAT])])),
    norm,
    () => put('flat', graph.op('Add', [flat(), constant([FLAT])])),
    () => put('flat', graph.op('Mul', [flat(), flat()])),
    () => put('flat', graph.op('Min', [flat(), graph.scalar(0.5)])),
    () => put('grouped', graph.op('Mul', [constant([1, NODES, 1]), grouped()])),
    () => put('grouped', graph.op('Add', [grouped(), grouped()])),
    () => put('flat', graph.op('MatMul', [flat(), constant([FLAT, FLAT])])),
  ];
  for (const step of steps) moves[step % moves.length]!();
  return { graph, outputs: [...new Set([flat(), grouped(), last(), pools.flat.at(-1)!])] };
}

const modelOf = (graph: GraphRecorder, nodes: OnnxModel['graph']['nodes'], outputs: readonly string[]) => {
  const model = onnxModel({ inputs: { x: ['batch', FLAT] }, nodes: [], outputs });
  return { ...model, graph: { ...model.graph, nodes, initializers: graph.initializers } };
};

test('every output is to the bit what it was, in the layout it had', () => {
  const steps = fc.array(fc.nat(12), { minLength: 1, maxLength: 24 });
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 4 }), (moves, samples) => {
      const { graph, outputs } = randomGraph(moves);
      const before = [...graph.nodes];
      const x = ndArray([samples, FLAT], Array.from({ length: samples * FLAT }, randomNumbers(1)));
      const expected = evaluate(modelOf(graph, before, outputs), { x });
      const found = evaluate(modelOf(graph, samplesLast(graph, before, outputs), outputs), { x });
      for (const output of outputs) expect(found.get(output)).toEqual(expected.get(output));
    }),
    { numRuns: 300 },
  );
});

test('a norm between two sparse products runs on rows of samples, without a transpose', () => {
  const graph = new GraphRecorder(18);
  graph.addInput('read', { elementType: DataType.float32, shape: [FLAT, 'batch'] });
  const perm = { perm: { ints: [1, 0] } };
  const x = graph.op('Transpose', ['read'], perm);
  const grouped = graph.op('Reshape', [x, graph.ints([-1, NODES, CHANNELS])]);
  const sum = graph.op('ReduceSum', [grouped, graph.ints([2])], { keepdims: { int: 1 } });
  const centred = graph.op('Sub', [grouped, graph.op('Div', [sum, graph.scalar(CHANNELS)])]);
  const back = graph.op('Reshape', [centred, graph.ints([-1, FLAT])]);
  const written = graph.op('Gather', [graph.op('Transpose', [back], perm), graph.ints([0, 3])], {
    axis: { int: 0 },
  });
  const nodes = samplesLast(graph, [...graph.nodes], [written]);
  expect(nodes.map(({ opType }) => opType)).toEqual([
    'Reshape',
    'ReduceSum',
    'Div',
    'Sub',
    'Reshape',
    'Gather',
  ]);
  const sizes = nodes.map(({ outputs: [value] }) => graph.shape(value!)?.slice(0, -1));
  expect(sizes.slice(0, 4)).toEqual([
    [NODES, CHANNELS],
    [NODES, 1],
    [NODES, 1],
    [NODES, CHANNELS],
  ]);
});
