import { float32Tensor } from '../../src/onnx/tensor.ts';
import { normalNumbers, randomNumbers } from './random-numbers.ts';
import { onnxFile, type TestNode } from './single-op.ts';

const CHANNELS_EACH = 2;
const LAYERS = 5;
const INPUTS = 4;
const OUTPUTS = 3;

/** Function nodes by name, and the edges between them by number. */
export interface LargeGraph {
  readonly functions: readonly string[];
  readonly edges: readonly (readonly [source: number, target: number])[];
}

const names = (count: number, name: string) => Array.from({ length: count }, (_, k) => `${name}_${k}`);

const fewEdges: LargeGraph = { functions: names(512, 'gene'), edges: [[0, 1]] };

/**
 * 600 nodes with names as long as in real use, and 2,000 edges, with cycles, and one node to which every fifth of the
 * others leads. What such a network shows does not depend on its weights.
 */
export function longNamedGraph(): LargeGraph {
  const [random, count] = [randomNumbers(600), 600];
  const node = () => Math.floor(count * random());
  const id = (k: number) => String((7919 * k * k + 104_729 * k) % 1e11).padStart(11, '0');
  const pairs = [
    ...Array.from({ length: 1880 }, () => [node(), node()] as const),
    ...Array.from({ length: 120 }, (_, k) => [5 * k + 1, 300] as const),
  ];
  const byKey = new Map(pairs.filter(([a, b]) => a !== b).map((pair) => [pair.join(), pair]));
  return {
    functions: Array.from({ length: count }, (_, k) => `FUNC__ENSG${id(k)}_GENE${k}`),
    edges: [...byKey.values()],
  };
}

/**
 * A GSNN large enough for threads of every kind: 1,024 channels, from which on the runtime starts more than one thread,
 * and 2^20 sums, from which on the CPU engine starts workers. Generated, since a fixture of its size would be 4 MB.
 */
export function largeModel({ functions, edges }: LargeGraph = fewEdges): Uint8Array {
  const normal = normalNumbers(1);
  const channels = functions.length * CHANNELS_EACH;
  const weights = (rows: number, columns: number) =>
    float32Tensor(
      [rows, columns],
      Float32Array.from({ length: rows * columns }, () => normal() / Math.sqrt(rows)),
    );
  const layers = Array.from({ length: LAYERS }, (_, l) => l);
  const blocks = layers.flatMap((l): TestNode[] => [
    { op: 'MatMul', inputs: [`hidden${l}`, 'mixing'], outputs: [`pre${l}`] },
    { op: 'Tanh', inputs: [`pre${l}`], outputs: [`post${l}`] },
    { op: 'Add', inputs: [`hidden${l}`, `post${l}`], outputs: [`hidden${l + 1}`] },
  ]);
  return onnxFile({
    inputs: { x: ['batch', INPUTS] },
    constants: {
      reading: weights(INPUTS, channels),
      mixing: weights(channels, channels),
      writing: weights(channels, OUTPUTS),
    },
    nodes: [
      { op: 'MatMul', inputs: ['x', 'reading'], outputs: ['hidden0'] },
      ...blocks,
      { op: 'MatMul', inputs: [`hidden${LAYERS}`, 'writing'], outputs: ['yhat'] },
    ],
    outputs: ['yhat'],
    metadata: {
      gsnn: JSON.stringify({
        version: 1,
        layers: LAYERS,
        norm: 'none',
        checkpoint: false,
        input: 'x',
        output: 'yhat',
        preNorm: layers.map((l) => `pre${l}`),
        activation: layers.map((l) => `post${l}`),
        channelGroups: Array.from({ length: channels }, (_, c) => Math.floor(c / CHANNELS_EACH)),
        nodeNames: {
          input: names(INPUTS, 'in'),
          function: functions,
          output: names(OUTPUTS, 'out'),
        },
        edgeIndex: {
          'input,function': [[0], [0]],
          'function,function': [edges.map(([source]) => source), edges.map(([, target]) => target)],
          'function,output': [[1], [0]],
        },
      }),
    },
  });
}

/** Samples for the model, as CSV. */
export function largeModelData(samples: number): string {
  const normal = normalNumbers(2);
  const columns = [...names(INPUTS, 'in'), ...names(OUTPUTS, 'out')];
  const rows = Array.from({ length: samples }, () => columns.map(() => normal().toFixed(4)).join());
  return [columns.join(), ...rows, ''].join('\n');
}
