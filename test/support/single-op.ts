import {
  type Attribute,
  DataType,
  type Dimension,
  encodeModel,
  type OnnxModel,
  type OnnxNode,
  type Tensor,
} from '../../src/training-graph.ts';

export interface TestNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly domain?: string;
}

export interface TestModel {
  readonly inputs: Readonly<Record<string, readonly Dimension[]>>;
  readonly constants?: Readonly<Record<string, Tensor>>;
  readonly nodes: readonly TestNode[];
  /** Outputs by name; their types are left to the reader. */
  readonly outputs: readonly string[];
  readonly opset?: number;
  readonly metadata?: Readonly<Record<string, string>>;
}

export const attribute = {
  int: (value: number): Attribute => ({ kind: 'int', value: BigInt(value) }),
  ints: (value: readonly number[]): Attribute => ({ kind: 'ints', value: value.map(BigInt) }),
  float: (value: number): Attribute => ({ kind: 'float', value: Math.fround(value) }),
  string: (value: string): Attribute => ({ kind: 'string', value }),
  tensor: (value: Tensor): Attribute => ({ kind: 'tensor', value }),
};

/** A small float32 model as an ONNX file, written node by node. */
export function onnxFile(model: TestModel): Uint8Array {
  return encodeModel(onnxModel(model));
}

export function onnxModel({
  inputs,
  constants = {},
  nodes,
  outputs,
  opset = 18,
  metadata = {},
}: TestModel): OnnxModel {
  return {
    irVersion: 8,
    opsets: new Map([['', opset]]),
    metadata: new Map(Object.entries(metadata)),
    functions: [],
    graph: {
      name: 'test',
      inputs: Object.entries(inputs).map(([name, shape]) => ({
        name,
        type: { elementType: DataType.float32, shape },
      })),
      outputs: outputs.map((name) => ({ name, type: { elementType: DataType.float32, shape: undefined } })),
      valueTypes: new Map(),
      initializers: new Map(Object.entries(constants)),
      nodes: nodes.map(
        ({ op, inputs: read, outputs: written, attributes = {}, domain = '' }, i): OnnxNode => ({
          name: `node${i}`,
          opType: op,
          domain,
          inputs: read,
          outputs: written,
          attributes: new Map(Object.entries(attributes)),
        }),
      ),
    },
  };
}
