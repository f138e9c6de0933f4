import { float32Tensor } from '../../src/onnx/tensor.ts';
import { normalNumbers } from './random-numbers.ts';
import { onnxFile, type TestNode } from './single-op.ts';

const FUNCTIONS = 512;
const CHANNELS_EACH = 2;
const LAYERS = 5;
const INPUTS = 4;
const OUTPUTS = 3;

/**
 * A GSNN large enough for threads of every kind: 1,024 channels, from which the runtime starts more than one thread, and
 * 2^20 sums, from which the CPU engine starts workers. Written here, since a fixture of its size would be 4 MB.
 */
export function largeModel(): Uint8Array {
  const normal = normalNumbers(1);
  const channels = FUNCTIONS * CHANNELS_EACH;
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
  const names = (count: number, name: string) => Array.from({ length: count }, (_, k) => `${name}_${k}`);
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
          function: names(FUNCTIONS, 'gene'),
          output: names(OUTPUTS, 'out'),
        },
        edgeIndex: {
          'input,function': [[0], [0]],
          'function,function': [[0], [1]],
          'function,output': [[1], [0]],
        },
      }),
    },
  });
}

/** Samples for it, as CSV. */
export function largeModelData(samples: number): string {
  const normal = normalNumbers(2);
  const names = [
    ...Array.from({ length: INPUTS }, (_, k) => `in_${k}`),
    ...Array.from({ length: OUTPUTS }, (_, k) => `out_${k}`),
  ];
  const rows = Array.from({ length: samples }, () => names.map(() => normal().toFixed(4)).join());
  return [names.join(), ...rows, ''].join('\n');
}
