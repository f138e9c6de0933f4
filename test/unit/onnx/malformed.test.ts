import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MagnitudeEdgeError } from '../../../src/index.ts';
import {
  type Attribute,
  buildTrainingGraph,
  decodeModel,
  encodeModel,
  type OnnxModel,
  type OnnxNode,
} from '../../../src/training-graph.ts';
import { float32Tensor, int64Tensor } from '../../../src/onnx/tensor.ts';
import { attribute, onnxFile, type TestNode } from '../../support/single-op.ts';

const { int, ints, string } = attribute;

/** Node, inputs from `x` [2, 3], `i` [1, 2, 4, 4] and constants; attributes; what the message says. */
const malformed: [string, string[], TestNode['attributes'], string][] = [
  ['Add', ['x'], {}, 'takes 2 inputs, but input 1 is missing'],
  ['Add', ['', 'x'], {}, 'takes 2 inputs, but input 0 is missing'],
  ['Tanh', ['x', 'x'], {}, 'takes 1 inputs, but it has 2'],
  ['Add', ['x', 'i'], {}, '[2, 3] and [1, 2, 4, 4] do not broadcast'],
  ['Transpose', ['x'], { perm: ints([0, 0]) }, 'perm [0, 0] is not a permutation of 2 axes'],
  ['Transpose', ['x'], { perm: ints([1]) }, 'perm [1] is not a permutation of 2 axes'],
  ['Transpose', ['x'], { perm: ints([-1, 0]) }, 'perm [-1, 0] is not a permutation of 2 axes'],
  ['Transpose', ['x'], { perm: int(1) }, "should hold a value of kind 'ints'"],
  ['ReduceSum', ['x', 'twice'], {}, 'axes [1, -1] name an axis twice'],
  ['ReduceSum', ['x', 'far'], {}, 'names axis 7 of a value with 2 axes'],
  ['Unsqueeze', ['x', 'twice0'], {}, 'axes [0, 0] name an axis twice'],
  ['Squeeze', ['x', 'first'], {}, 'axis 0 of 2 elements'],
  ['Softmax', ['x'], { axis: int(2) }, 'names axis 2 of a value with 2 axes'],
  ['Concat', ['x', 'i'], { axis: int(0) }, '[2, 3] beside [1, 2, 4, 4]'],
  ['Reshape', ['x', 'far'], {}, '6 elements as [7]'],
  ['Reshape', ['x', 'openTwice'], {}, 'more than one size of -1'],
  ['Expand', ['x', 'far'], {}, 'cannot be expanded'],
  ['Tile', ['x', 'far'], {}, '1 repeats of 2 axes'],
  ['Split', ['x', 'far'], {}, 'parts [7] of an axis of 2'],
  ['MatMul', ['x', 'x'], {}, '[2, 3] times [2, 3]'],
  ['Gemm', ['x', 'x'], {}, '[2, 3] times [2, 3]'],
  ['Einsum', ['x'], { equation: string('ij,jk->ik') }, 'an equation of 2 operands for 1'],
  ['Einsum', ['x'], { equation: string('ijk->i') }, "labels 'ijk' for [2, 3]"],
  ['Cast', ['x'], { to: int(99) }, 'there is no element type 99'],
  ['Conv', ['x', 'x'], {}, 'data with 2 axes'],
  ['Conv', ['i', 'k'], { pads: ints([1]) }, "'pads' of Conv 'node0' should hold 4 numbers"],
  [
    'Conv',
    ['i', 'k'],
    { strides: ints([0, 1]) },
    "'strides' of Conv 'node0' should hold 2 numbers of at least 1",
  ],
  ['Conv', ['i', 'x'], {}, 'weights with 2 axes'],
  ['MaxPool', ['i'], {}, 'has no kernel_shape'],
  ['AveragePool', ['i'], { kernel_shape: ints([2, 2, 2]) }, 'should hold 2 numbers'],
  [
    'AveragePool',
    ['i'],
    { kernel_shape: ints([2, 2]), pads: ints([2, 0, 0, 0]) },
    'pads by 2, beyond its window',
  ],
];

describe('nodes that cannot be meant', () => {
  test.each(malformed)('%s of %j with %o', (op, inputs, attributes, message) => {
    const constants = {
      twice: int64Tensor([2], [1, -1]),
      twice0: int64Tensor([2], [0, 0]),
      first: int64Tensor([1], [0]),
      far: int64Tensor([1], [7]),
      openTwice: int64Tensor([2], [-1, -1]),
      k: float32Tensor([1, 2, 1, 1], [1, 1]),
    };
    const nodes = [{ op, inputs, outputs: ['y'], ...(attributes ? { attributes } : {}) }];
    const bytes = onnxFile({ inputs: { x: [2, 3], i: [1, 2, 4, 4] }, constants, nodes, outputs: ['y'] });
    const build = () => buildTrainingGraph(bytes, { wrt: ['x'] });
    expect(build).toThrow(MagnitudeEdgeError);
    expect(build).toThrow(message);
    expect(build).toThrow(`${op} 'node0'`);
  });

  test('a constant that is there twice', () => {
    const model = decodeModel(
      onnxFile({ inputs: { x: [1] }, constants: { c: float32Tensor([], [1]) }, nodes: [], outputs: ['x'] }),
    );
    const source = model.source!;
    source.graph!.initializer.push(source.graph!.initializer[0]!);
    const bytes = encodeModel({ ...model, graph: { ...model.graph, initializers: twoOfOneName(model) } });
    expect(() => decodeModel(bytes)).toThrow("two constants called 'c'");
  });

  test('a graph without nodes has the gradient of its input', () => {
    const graph = buildTrainingGraph(onnxFile({ inputs: { x: [2] }, nodes: [], outputs: ['x'] }), {
      wrt: ['x'],
    });
    expect(graph.disconnected).toEqual([]);
  });
});

/** Written one after the other, which no map would do. */
function twoOfOneName({ graph }: OnnxModel): OnnxModel['graph']['initializers'] {
  const [entry] = [...graph.initializers];
  const twice = [entry!, entry!];
  return Object.assign(new Map(twice), { [Symbol.iterator]: () => twice[Symbol.iterator]() });
}

const folder = new URL('../../fixtures/onnx-cases/', import.meta.url);
const models = readdirSync(folder).map((name) =>
  decodeModel(readFileSync(new URL(`${name}/model.onnx`, folder))),
);
const numbers = [0n, -1n, 1n, 2n, 7n, 2n ** 31n, 2n ** 62n, -(2n ** 63n), 2n ** 63n - 1n];

/** An attribute with another value of its kind. */
function changed(given: Attribute, number: bigint, at: number): Attribute {
  if (given.kind === 'int') return { kind: 'int', value: number };
  if (given.kind === 'string') return { kind: 'string', value: 'constructor' };
  if (given.kind === 'graph')
    return { kind: 'graph', value: { ...given.value, nodes: given.value.nodes.slice(1) } };
  if (given.kind !== 'ints') return given;
  if (at % 3 === 0) return { kind: 'ints', value: given.value.slice(1) };
  if (at % 3 === 1) return { kind: 'ints', value: [...given.value, number] };
  return { kind: 'ints', value: given.value.map((value, i) => (i === 0 ? number : value)) };
}

function damaged(
  node: OnnxNode,
  kind: number,
  number: bigint,
  at: number,
  names: readonly string[],
): OnnxNode {
  const place = at % Math.max(1, node.inputs.length);
  switch (kind) {
    case 0:
      return { ...node, inputs: node.inputs.slice(0, -1) };
    case 1:
      return { ...node, inputs: node.inputs.with(place, '') };
    case 2:
      return { ...node, inputs: node.inputs.with(place, names[at % names.length]!) };
    case 3:
      return { ...node, outputs: node.outputs.slice(1) };
    default: {
      const entries = [...node.attributes].map(
        ([name, value]) => [name, changed(value, number, at)] as const,
      );
      return { ...node, attributes: new Map(entries) };
    }
  }
}

test('nodes changed anyhow are refused or differentiated, and nothing else happens', () => {
  const change = fc.record({
    model: fc.nat(models.length - 1),
    node: fc.nat(200),
    kind: fc.nat(6),
    number: fc.constantFrom(...numbers),
    at: fc.nat(50),
  });
  fc.assert(
    fc.property(change, ({ model, node, kind, number, at }) => {
      const { graph } = models[model]!;
      const index = node % graph.nodes.length;
      const one = graph.nodes[index]!;
      if (one.inputs.length === 0 && kind < 3) return;
      const names = [...graph.inputs.map(({ name }) => name), ...graph.initializers.keys()];
      const nodes = graph.nodes.with(index, damaged(one, kind, number, at, names));
      const wrt = graph.inputs.flatMap(({ name, type }) => (type.elementType === 1 ? [name] : []));
      try {
        const bytes = encodeModel({ ...models[model]!, graph: { ...graph, nodes } });
        buildTrainingGraph(bytes, { wrt, parameters: 'all', prediction: graph.outputs[0]!.name });
      } catch (error) {
        if (!(error instanceof MagnitudeEdgeError)) throw error;
      }
    }),
    { numRuns: 300 },
  );
});
