import { describe, expect, test } from 'vitest';
import { float32Tensor, int64Tensor } from '../../../src/onnx/tensor.ts';
import { buildTrainingGraph } from '../../../src/training-graph.ts';
import { attribute, onnxFile, type TestNode } from '../../support/single-op.ts';

/** Nothing here may recurse along the graph, or walk it once for every node. */
const LENGTH = 20_000;

const constants = {
  w: float32Tensor([], [1.001]),
  index: int64Tensor([3], [2, 0, 1]),
  one: int64Tensor([1], [1]),
};

function chain(step: (from: string, to: string, i: number) => TestNode[]): TestNode[] {
  return Array.from({ length: LENGTH }, (_, i) => step(i === 0 ? 'x' : `v${i}`, `v${i + 1}`, i)).flat();
}

const end = `v${LENGTH}`;

const chains: Record<string, [TestNode[], string]> = {
  'of one operator after another': [chain((from, to) => [{ op: 'Exp', inputs: [from], outputs: [to] }]), end],
  'of Identity': [chain((from, to) => [{ op: 'Identity', inputs: [from], outputs: [to] }]), end],
  'that reads one value over and over': [
    chain((from, to) => [{ op: 'Add', inputs: [from, 'x'], outputs: [to] }]),
    end,
  ],
  'that scales by one parameter': [
    chain((from, to) => [{ op: 'Mul', inputs: [from, 'w'], outputs: [to] }]),
    end,
  ],
  'of gathers': [
    chain((from, to) => [
      { op: 'Gather', inputs: [from, 'index'], outputs: [to], attributes: { axis: attribute.int(1) } },
    ]),
    end,
  ],
  'of reshapes to a shape that is computed': [
    chain((from, to, i) => [
      { op: 'Shape', inputs: [from], outputs: [`s${i}`] },
      { op: 'Reshape', inputs: [from, `s${i}`], outputs: [to] },
    ]),
    end,
  ],
  'of whole numbers': [
    [
      { op: 'Shape', inputs: ['x'], outputs: ['n0'], attributes: { end: attribute.int(1) } },
      ...Array.from({ length: LENGTH }, (_, i) => ({
        op: 'Mul',
        inputs: [`n${i}`, 'one'],
        outputs: [`n${i + 1}`],
      })),
      { op: 'Expand', inputs: ['x', `n${LENGTH}`], outputs: ['y'] },
    ],
    'y',
  ],
  'joined by one node': [
    [
      ...Array.from({ length: LENGTH }, (_, i) => ({ op: 'Exp', inputs: ['x'], outputs: [`a${i}`] })),
      {
        op: 'Concat',
        inputs: Array.from({ length: LENGTH }, (_, i) => `a${i}`),
        outputs: ['y'],
        attributes: { axis: attribute.int(1) },
      },
    ],
    'y',
  ],
};

describe('20,000 nodes', () => {
  test.each(Object.entries(chains))('%s', (_, [nodes, output]) => {
    const bytes = onnxFile({ inputs: { x: ['n', 3] }, constants, nodes, outputs: [output] });
    const graph = buildTrainingGraph(bytes, { wrt: ['x'], parameters: ['w'] });
    expect(graph.disconnected).not.toContain('x');
    // A few nodes for each of the model's, however long the way.
    expect(graph.model.graph.nodes.length).toBeLessThan(8 * nodes.length);
  });

  test('in the reverse of their order', () => {
    const [nodes, output] = chains['of one operator after another']!;
    const bytes = onnxFile({ inputs: { x: ['n', 3] }, nodes: nodes.toReversed(), outputs: [output] });
    const graph = buildTrainingGraph(bytes, { wrt: ['x'] });
    expect(graph.disconnected).toEqual([]);
  });

  test('before an operator without a rule: the message names both ends of the path', () => {
    const [nodes, output] = chains['that reads one value over and over']!;
    const det = { op: 'Det', inputs: [output], outputs: ['y'] };
    const bytes = onnxFile({ inputs: { x: ['n', 3] }, nodes: [...nodes, det], outputs: ['y'] });
    expect(() => buildTrainingGraph(bytes, { wrt: ['x'] })).toThrow(/Det .* path x -> .* -> y/);
  });
});
