import { readdirSync, readFileSync } from 'node:fs';
import { create, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ModelProtoSchema, TensorProtoSchema } from '../../../src/onnx/schema/onnx_pb.ts';
import { float32Tensor, int64Tensor, numericTensor, tensorValues } from '../../../src/onnx/tensor.ts';
import { DataType, decodeModel, encodeModel } from '../../../src/training-graph.ts';
import { attribute, onnxFile, onnxModel } from '../../support/single-op.ts';
import { runOnnx } from '../../support/run-onnx.ts';

const folder = new URL('../../fixtures/models/', import.meta.url);
const names = readdirSync(folder);

describe('a model that is read and written again', () => {
  test.each(names)('%s: nothing is lost, and it runs to the same numbers', async (name) => {
    const bytes = readFileSync(new URL(`${name}/model.onnx`, folder));
    const model = decodeModel(bytes);
    const again = encodeModel(model);
    expect(encodeModel(decodeModel(again))).toEqual(again);
    const reread = decodeModel(again);
    expect(reread.metadata).toEqual(model.metadata);
    expect(reread.opsets).toEqual(model.opsets);
    expect(reread.irVersion).toBe(model.irVersion);
    expect(
      reread.graph.nodes.map(({ name, opType, inputs, outputs }) => ({ name, opType, inputs, outputs })),
    ).toEqual(
      model.graph.nodes.map(({ name, opType, inputs, outputs }) => ({ name, opType, inputs, outputs })),
    );
    const feeds = Object.fromEntries(
      model.graph.inputs.map(({ name, type }) => {
        const dims = type.shape!.map((size) => (typeof size === 'number' ? size : 2));
        const count = dims.reduce((a, b) => a * b, 1);
        return [name, { dims, data: Array.from({ length: count }, (_, i) => Math.sin(i + 1)) }];
      }),
    );
    const [before, after] = [await runOnnx(bytes, feeds), await runOnnx(again, feeds)];
    for (const [output, { data }] of Object.entries(before)) expect(after[output]!.data).toEqual(data);
  });

  test('keeps fields that the schema does not know', () => {
    const bytes = readFileSync(new URL(`${names[0]!}/model.onnx`, folder));
    // Field 20 (training_info), length-delimited, empty.
    const extended = new Uint8Array([...bytes, 0xa2, 0x01, 0x00]);
    const again = encodeModel(decodeModel(extended));
    expect(decodeModel(again).source!.$unknown).toMatchObject([{ no: 20 }]);
  });

  test('keeps the IR version, however new', () => {
    const model = { ...onnxModel({ inputs: { x: [1] }, nodes: [], outputs: [] }), irVersion: 14 };
    expect(decodeModel(encodeModel(model)).irVersion).toBe(14);
  });
});

describe('constants', () => {
  const stored = (tensor: Parameters<typeof create<typeof TensorProtoSchema>>[1]) =>
    toBinary(
      ModelProtoSchema,
      create(ModelProtoSchema, {
        irVersion: 8n,
        opsetImport: [{ version: 18n }],
        graph: { initializer: [create(TensorProtoSchema, { name: 'c', ...tensor })] },
      }),
    );
  const read = (bytes: Uint8Array) => tensorValues(decodeModel(bytes).graph.initializers.get('c')!);

  test('are read from every typed field', () => {
    expect(read(stored({ dataType: DataType.float32, dims: [2n], floatData: [0.5, -2] }))).toEqual([0.5, -2]);
    expect(read(stored({ dataType: DataType.float64, dims: [1n], doubleData: [0.1] }))).toEqual([0.1]);
    expect(read(stored({ dataType: DataType.int64, dims: [2n], int64Data: [-3n, 7n] }))).toEqual([-3, 7]);
    expect(read(stored({ dataType: DataType.uint64, dims: [1n], uint64Data: [9n] }))).toEqual([9]);
    expect(read(stored({ dataType: DataType.uint32, dims: [1n], uint64Data: [4_000_000_000n] }))).toEqual([
      4e9,
    ]);
    for (const dataType of [DataType.int32, DataType.int16, DataType.int8]) {
      expect(read(stored({ dataType, dims: [2n], int32Data: [-5, 6] }))).toEqual([-5, 6]);
    }
    expect(read(stored({ dataType: DataType.bool, dims: [2n], int32Data: [1, 0] }))).toEqual([1, 0]);
    expect(read(stored({ dataType: DataType.float32, dims: [], floatData: [3] }))).toEqual([3]);
  });

  test('any numbers survive writing and reading', () => {
    fc.assert(
      fc.property(fc.array(fc.float({ noNaN: true })), (values) => {
        const tensor = float32Tensor([values.length], values);
        const model = onnxModel({ inputs: {}, constants: { c: tensor }, nodes: [], outputs: [] });
        expect(read(encodeModel(model))).toEqual(values);
      }),
    );
    expect(tensorValues(int64Tensor([2], [2 ** 63, -(2 ** 63)]))).toEqual([2 ** 63, -(2 ** 63)]);
    expect(tensorValues(numericTensor(DataType.bool, [2], [3, 0]))).toEqual([1, 0]);
  });

  test('are read from external files that the caller supplies', () => {
    const data = new Uint8Array(float32Tensor([3], [1, 2, 3]).bytes);
    const externalData = [
      { key: 'location', value: 'm.onnx.data' },
      { key: 'offset', value: '4' },
      { key: 'length', value: '8' },
    ];
    const bytes = stored({ dataType: DataType.float32, dims: [2n], dataLocation: 1, externalData });
    const model = decodeModel(bytes, { externalData: { 'm.onnx.data': data } });
    expect(tensorValues(model.graph.initializers.get('c')!)).toEqual([2, 3]);
    expect(read(encodeModel(model))).toEqual([2, 3]);
    expect(() => decodeModel(bytes)).toThrow("external file 'm.onnx.data', which was not supplied");
    expect(() => decodeModel(bytes, { externalData: { 'm.onnx.data': data.subarray(0, 8) } })).toThrow(
      "claims bytes 4 to 12 of the external file 'm.onnx.data', which holds 8",
    );
  });
});

test('nodes come in an order in which they can run', () => {
  const nodes = [
    { op: 'Neg', inputs: ['b'], outputs: ['c'] },
    { op: 'Exp', inputs: ['x'], outputs: ['a'] },
    { op: 'Mul', inputs: ['a', 'x'], outputs: ['b'], attributes: { note: attribute.string('ä') } },
  ];
  const model = decodeModel(onnxFile({ inputs: { x: ['n'] }, nodes, outputs: ['c'] }));
  expect(model.graph.nodes.map(({ opType }) => opType)).toEqual(['Exp', 'Mul', 'Neg']);
  expect(model.graph.nodes[1]!.attributes.get('note')).toEqual({ kind: 'string', value: 'ä' });
  expect(model.graph.inputs[0]!.type).toEqual({ elementType: DataType.float32, shape: ['n'] });
});
