import { readFileSync } from 'node:fs';
import { create, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MagnitudeEdgeError } from '../../../src/index.ts';
import { buildTrainingGraph, decodeModel } from '../../../src/training-graph.ts';
import {
  AttributeProtoSchema,
  FunctionProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  type ModelProto,
} from '../../../src/onnx/schema/onnx_pb.ts';
import { int64Tensor } from '../../../src/onnx/tensor.ts';
import { onnxFile, type TestModel } from '../../support/single-op.ts';

const genuine = readFileSync(new URL('../../fixtures/models/layer-elu/model.onnx', import.meta.url));

function refusalOf(action: () => unknown): MagnitudeEdgeError {
  try {
    action();
  } catch (error) {
    if (error instanceof MagnitudeEdgeError) return error;
    throw error;
  }
  throw new Error('Nothing was refused.');
}

/** Reads and differentiates: what a page does with a dropped file. Anything but a MagnitudeEdgeError fails the test. */
function tolerate(bytes: Uint8Array): void {
  try {
    buildTrainingGraph(bytes, { wrt: ['x'], prediction: 'yhat' });
  } catch (error) {
    if (!(error instanceof MagnitudeEdgeError)) throw error;
  }
}

describe('damaged files', () => {
  test('cut short anywhere', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: genuine.length - 1 }), (length) => {
        tolerate(genuine.subarray(0, length));
      }),
      { numRuns: 60 },
    );
  });

  test('with bytes changed anywhere', () => {
    const change = fc.tuple(
      fc.integer({ min: 0, max: genuine.length - 1 }),
      fc.integer({ min: 0, max: 255 }),
    );
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 8 }), (changes) => {
        const bytes = Uint8Array.from(genuine);
        for (const [at, value] of changes) bytes[at] = value;
        tolerate(bytes);
      }),
      { numRuns: 120 },
    );
  });

  test('noise', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), tolerate));
  });

  test('an empty file, a text, a file of zeros', () => {
    for (const bytes of [new Uint8Array(), new TextEncoder().encode('not a model'), new Uint8Array(1000)]) {
      expect(refusalOf(() => decodeModel(bytes)).code).toBe('invalid-model');
    }
  });
});

describe('claims that the file does not back', () => {
  const proto = (fields: Parameters<typeof create<typeof ModelProtoSchema>>[1]): Uint8Array =>
    toBinary(
      ModelProtoSchema,
      create(ModelProtoSchema, { irVersion: 8n, opsetImport: [{ version: 18n }], ...fields }),
    );

  test.each([
    ['2 GiB of elements in 4 bytes', [2n ** 29n], 'which takes 2147483648 bytes, but holds 4'],
    ['more elements than numbers can count', [2n ** 40n, 2n ** 40n], 'impossible shape'],
    ['a negative size', [-4n], 'impossible shape'],
  ])('%s', (_, dims, message) => {
    const initializer = [{ name: 'w', dataType: 1, dims, rawData: new Uint8Array(4) }];
    const refused = refusalOf(() => decodeModel(proto({ graph: { initializer } })));
    expect(refused.code).toBe('invalid-model');
    expect(refused.message).toContain("'w'");
    expect(refused.message).toContain(message);
  });

  test('a length prefix of 2 GiB', () => {
    // Field 7 (graph), length-delimited, 2^31 - 1 bytes, of which none follow.
    const refused = refusalOf(() => decodeModel(new Uint8Array([0x3a, 0xff, 0xff, 0xff, 0xff, 0x07])));
    expect(refused.code).toBe('invalid-model');
  });

  test('shapes of a trillion elements in shape arithmetic are not built', () => {
    const started = performance.now();
    const nodes: TestModel['nodes'] = [
      { op: 'ConstantOfShape', inputs: ['huge'], outputs: ['zeros'] },
      { op: 'Range', inputs: ['start', 'limit', 'step'], outputs: ['r'] },
      { op: 'Expand', inputs: ['x', 'huge'], outputs: ['e'] },
      { op: 'ReduceSum', inputs: ['e'], outputs: ['y'] },
    ];
    const scalar = (value: number) => int64Tensor([], [value]);
    const constants = {
      huge: int64Tensor([2], [1e6, 1e6]),
      start: scalar(0),
      limit: scalar(1e12),
      step: scalar(1),
    };
    buildTrainingGraph(onnxFile({ inputs: { x: [1, 1] }, constants, nodes, outputs: ['y'] }), { wrt: ['x'] });
    expect(performance.now() - started).toBeLessThan(1000);
  });

  test('graphs nested ten thousand deep', () => {
    let bytes = new Uint8Array();
    const varint = (value: number): number[] => {
      const low = value & 0x7f;
      return value < 128 ? [low] : [low | 0x80, ...varint(value >>> 7)];
    };
    const wrap = (field: number): void => {
      bytes = new Uint8Array([(field << 3) | 2, ...varint(bytes.length), ...bytes]);
    };
    // GraphProto.node (1), NodeProto.attribute (5), AttributeProto.g (6)
    for (let depth = 0; depth < 3000; depth++) [6, 5, 1].forEach(wrap);
    wrap(7);
    expect(refusalOf(() => decodeModel(bytes)).code).toBe('invalid-model');
  });

  test('functions that call themselves, and functions that double', () => {
    const call = (op: string, input: string, output: string) =>
      create(NodeProtoSchema, { opType: op, domain: 'local', input: [input], output: [output] });
    const model = (functions: ModelProto['functions']): Uint8Array =>
      proto({
        opsetImport: [{ version: 18n }, { domain: 'local', version: 1n }],
        functions,
        graph: { input: [{ name: 'x' }], output: [{ name: 'y' }], node: [call('f0', 'x', 'y')] },
      });
    const body = (name: string, node: ReturnType<typeof call>[]) =>
      create(FunctionProtoSchema, { name, domain: 'local', input: ['a'], output: ['b'], node });
    const endless = model([body('f0', [call('f0', 'a', 'b')])]);
    expect(refusalOf(() => buildTrainingGraph(endless)).message).toContain("'f0' calls itself");
    const doubling = Array.from({ length: 40 }, (_, i) =>
      body(`f${i}`, [call(`f${i + 1}`, 'a', 'm'), call(`f${i + 1}`, 'm', 'b')]),
    );
    const started = performance.now();
    expect(refusalOf(() => buildTrainingGraph(model(doubling))).message).toContain('more than');
    expect(performance.now() - started).toBeLessThan(1000);
  });
});

describe('graphs that cannot run', () => {
  const refuse = (model: Partial<TestModel>): string => {
    const refused = refusalOf(() =>
      decodeModel(onnxFile({ inputs: { x: [1] }, nodes: [], outputs: [], ...model })),
    );
    expect(refused.code).toBe('invalid-model');
    return refused.message;
  };

  test('a cycle', () => {
    const nodes = [
      { op: 'Neg', inputs: ['b'], outputs: ['a'] },
      { op: 'Exp', inputs: ['a'], outputs: ['b'] },
    ];
    expect(refuse({ nodes })).toContain('lies on a cycle');
  });

  test('a value that nothing produces', () => {
    expect(refuse({ nodes: [{ op: 'Neg', inputs: ['ghost'], outputs: ['a'] }] })).toContain(
      "Neg 'node0' reads the value 'ghost', which nothing in the graph produces",
    );
    expect(refuse({ outputs: ['ghost'] })).toContain("The graph output 'ghost'");
  });

  test('a value that is produced twice', () => {
    const node = { op: 'Neg', inputs: ['x'], outputs: ['a'] };
    expect(refuse({ nodes: [node, node] })).toContain("The value 'a' is produced more than once");
    expect(refuse({ nodes: [{ ...node, outputs: ['x'] }] })).toContain(
      "The value 'x' is produced more than once",
    );
  });

  test('an axis that is not there', () => {
    const nodes = [{ op: 'Softmax', inputs: ['x'], outputs: ['a'] }];
    const gather = {
      op: 'Concat',
      inputs: ['a', 'x'],
      outputs: ['y'],
      attributes: { axis: { kind: 'int', value: 3n } as const },
    };
    const bytes = onnxFile({ inputs: { x: [1] }, nodes: [...nodes, gather], outputs: ['y'] });
    expect(refusalOf(() => buildTrainingGraph(bytes)).message).toContain(
      "Concat 'node1' names axis 3 of a value with 1 axes",
    );
  });

  test('an attribute of the wrong kind', () => {
    const proto = create(AttributeProtoSchema, { name: 'axis', type: 1, f: 1 });
    const nodes = [
      {
        op: 'Concat',
        inputs: ['x'],
        outputs: ['y'],
        attributes: { axis: { kind: 'opaque', value: proto } as const },
      },
    ];
    const bytes = onnxFile({ inputs: { x: [1] }, nodes, outputs: ['y'] });
    expect(refusalOf(() => buildTrainingGraph(bytes)).message).toContain(
      "Attribute 'axis' of Concat 'node0'",
    );
  });
});
