import { expect, test } from 'vitest';
import { GsnnModel } from '../../../src/index.ts';
import { DataType } from '../../../src/training-graph.ts';
import { fixture, withModel, withProfile } from '../../support/model-files.ts';
import { refusal } from '../../support/refusal.ts';

type Case = [what: string, bytes: Uint8Array, code: string, sentence: RegExp];

const edges = (profile: Record<string, unknown>): Record<string, [number[], number[]]> =>
  profile.edgeIndex as Record<string, [number[], number[]]>;
const names = (profile: Record<string, unknown>): Record<string, string[]> =>
  profile.nodeNames as Record<string, string[]>;

const cases: Case[] = [
  ['no bytes', new Uint8Array(), 'invalid-model', /^m\.onnx: .*not an ONNX model/],
  ['text', new TextEncoder().encode('<!doctype html>'), 'invalid-model', /^m\.onnx: .*not an ONNX model/],
  ['a model cut short', fixture('layer-elu').subarray(0, 5000), 'invalid-model', /^m\.onnx: /],
  [
    'no profile',
    withModel('layer-elu', (model) => ({ ...model, metadata: new Map() })),
    'invalid-model',
    /no metadata key 'gsnn'/,
  ],
  [
    'a profile that is no JSON',
    withModel('layer-elu', (model) => ({ ...model, metadata: new Map([['gsnn', '{']]) })),
    'invalid-model',
    /'gsnn' is not valid JSON/,
  ],
  [
    'an unknown version',
    withProfile('layer-elu', (profile) => (profile.version = 2)),
    'invalid-model',
    /profile version 2 is unknown, version 1 was expected/,
  ],
  [
    'a named value that is not there',
    withProfile('layer-elu', (profile) => ((profile.preNorm as string[])[1] = 'nowhere')),
    'invalid-model',
    /names the value 'nowhere' \(preNorm\[1\]\), which is not in the graph/,
  ],
  [
    'an input that is not there',
    withProfile('layer-elu', (profile) => (profile.input = 'z')),
    'invalid-model',
    /names the input 'z', which is not an input of the graph/,
  ],
  [
    'a stopped value that is not there',
    withProfile('layer-elu', (profile) => (profile.stopGradient = ['gone'])),
    'invalid-model',
    /'stopGradient' names the value 'gone', which is not in the graph/,
  ],
  [
    'fewer value names than blocks',
    withProfile('layer-elu', (profile) => (profile.activation as string[]).pop()),
    'invalid-model',
    /'activation' names 2 values, but there are 3 blocks/,
  ],
  [
    'checkpointing',
    withProfile('layer-elu', (profile) => (profile.checkpoint = true)),
    'unsupported-model',
    /gradient checkpointing on/,
  ],
  [
    'one block',
    withProfile('layer-elu', (profile) => (profile.layers = 1)),
    'unsupported-model',
    /it has 1 block, at least 2 are needed/,
  ],
  [
    'a function node without channels',
    withProfile('layer-elu', (profile) => {
      profile.channelGroups = (profile.channelGroups as number[]).map((group) => (group === 3 ? 2 : group));
    }),
    'graph-mismatch',
    /function node 'gene_3' \(index 3\) has no channels/,
  ],
  [
    'a channel of no node',
    withProfile('layer-elu', (profile) => ((profile.channelGroups as number[])[0] = 7)),
    'graph-mismatch',
    /gives channel 0 to function node 7, but there are 7 function nodes/,
  ],
  [
    'a channel map of another size',
    withProfile('layer-elu', (profile) => (profile.channelGroups as number[]).push(6)),
    'graph-mismatch',
    /has 21 columns, but the profile gives 22 channels/,
  ],
  [
    'more input nodes than inputs',
    withProfile('layer-elu', (profile) => names(profile).input!.push('more')),
    'graph-mismatch',
    /'x' \(input\) has 4 columns, but the profile gives 5 input nodes/,
  ],
  [
    'fewer output nodes than outputs',
    withProfile('layer-elu', (profile) => {
      names(profile).output!.pop();
      edges(profile)['function,output'] = [[], []];
    }),
    'graph-mismatch',
    /has 3 columns, but the profile gives 2 output nodes/,
  ],
  [
    'an edge to nowhere',
    withProfile('layer-elu', (profile) => (edges(profile)['function,function']![1][0] = 12)),
    'graph-mismatch',
    /edge 0 of 'function,function' names function node 12, but there are 7 function nodes/,
  ],
  [
    'sources without targets',
    withProfile('layer-elu', (profile) => edges(profile)['function,function']![1].pop()),
    'graph-mismatch',
    /'function,function' have \d+ sources and \d+ targets/,
  ],
  [
    'a name twice',
    withProfile('layer-elu', (profile) => (names(profile).function![4] = 'gene_1')),
    'graph-mismatch',
    /function nodes 1 and 4 have the same name 'gene_1'/,
  ],
  [
    'a double input',
    withModel('layer-elu', (model) => ({
      ...model,
      graph: {
        ...model.graph,
        inputs: model.graph.inputs.map(({ name, type }) => ({
          name,
          type: { ...type, elementType: DataType.float64 },
        })),
      },
    })),
    'invalid-model',
    /'x' \(input\) is float64, float32 was expected/,
  ],
];

test.each(cases)('%s', async (_, bytes, code, sentence) => {
  const error = await refusal(GsnnModel.load(bytes, { name: 'm.onnx' }));
  expect(error.message).toMatch(sentence);
  expect(error.code).toBe(code);
});

test('an operator without a gradient rule is named with its node when the model is loaded', async () => {
  const bytes = withModel('batch-relu', (model) => ({
    ...model,
    graph: {
      ...model.graph,
      nodes: model.graph.nodes.map((node) => (node.opType === 'Relu' ? { ...node, opType: 'Shrink' } : node)),
    },
  }));
  const error = await refusal(GsnnModel.load(bytes));
  expect(error.code).toBe('unsupported-op');
  expect(error.message).toMatch(/Shrink/);
});

test('options that are not known', async () => {
  const bytes = fixture('layer-elu');
  const load = (options: object): Promise<GsnnModel> => GsnnModel.load(bytes, options);
  expect((await refusal(load({ loss: 'mae' }))).message).toMatch(/'mae' is neither one of mse, l1/);
  expect((await refusal(load({ executionProvider: 'cuda' }))).code).toBe('invalid-argument');
  expect((await refusal(load({ lossReduction: 'none' }))).code).toBe('invalid-argument');
});

test('WebGPU for the model needs a browser', async () => {
  const error = await refusal(GsnnModel.load(fixture('layer-elu'), { executionProvider: 'webgpu' }));
  expect(error.code).toBe('no-adapter');
  expect(error.message).toMatch(/needs a browser/);
});

test('a file that is not there', async () => {
  const error = await refusal(GsnnModel.load('no/such/model.onnx'));
  expect(error.code).toBe('invalid-model');
  expect(error.message).toMatch(/no\/such\/model\.onnx could not be read: there is no such file\./);
});

test('an aborted signal', async () => {
  const reason = new Error('enough');
  await expect(GsnnModel.load(fixture('layer-elu'), { signal: AbortSignal.abort(reason) })).rejects.toBe(
    reason,
  );
});
