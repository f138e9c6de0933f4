/** A model and data for it that are made, never committed: 1,000 function nodes of one channel, mixed by matrices of low rank. */
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { DataType, encodeModel } from 'magnitude-edge/training-graph';
import { ByteWriter, ParquetWriter, schemaFromColumnData } from 'hyparquet-writer';
import { generator } from '../shared/problem.mjs';

const RANK = 16;
export const INPUTS = 24;
export const OUTPUTS = 8;
const LAYERS = 3;

/** @param {number} count @param {string} name */
const names = (count, name) => Array.from({ length: count }, (_, k) => `${name}_${k}`);

/** @param {number} nodes @returns {Uint8Array} */
export function modelOf(nodes) {
  const random = generator(11);
  const weights = (/** @type {number} */ rows, /** @type {number} */ columns) => {
    const values = Float32Array.from(
      { length: rows * columns },
      () => (random() - 0.5) / Math.sqrt(rows / 12),
    );
    return { elementType: DataType.float32, dims: [rows, columns], bytes: new Uint8Array(values.buffer) };
  };
  /** @type {[op: string, inputs: string[], output: string][]} */
  const nodesOf = [['MatMul', ['x', 'reading'], 'hidden0']];
  const layers = Array.from({ length: LAYERS }, (_, l) => l);
  /** @type {[string, ReturnType<typeof weights>][]} */
  const constants = [
    ['reading', weights(INPUTS, nodes)],
    ['writing', weights(nodes, OUTPUTS)],
  ];
  for (const l of layers) {
    constants.push([`narrow${l}`, weights(nodes, RANK)], [`wide${l}`, weights(RANK, nodes)]);
    nodesOf.push(
      ['MatMul', [`hidden${l}`, `narrow${l}`], `inner${l}`],
      ['MatMul', [`inner${l}`, `wide${l}`], `pre${l}`],
      ['Tanh', [`pre${l}`], `post${l}`],
      ['Add', [`hidden${l}`, `post${l}`], `hidden${l + 1}`],
    );
  }
  nodesOf.push(['MatMul', [`hidden${LAYERS}`, 'writing'], 'yhat']);
  const gsnn = {
    version: 1,
    layers: LAYERS,
    norm: 'none',
    checkpoint: false,
    input: 'x',
    output: 'yhat',
    preNorm: layers.map((l) => `pre${l}`),
    activation: layers.map((l) => `post${l}`),
    channelGroups: Array.from({ length: nodes }, (_, c) => c),
    nodeNames: { input: names(INPUTS, 'in'), function: names(nodes, 'gene'), output: names(OUTPUTS, 'out') },
    edgeIndex: {
      'input,function': [[0], [0]],
      'function,function': [[0], [1]],
      'function,output': [[1], [0]],
    },
  };
  return encodeModel({
    irVersion: 8,
    opsets: new Map([['', 18]]),
    metadata: new Map([['gsnn', JSON.stringify(gsnn)]]),
    functions: [],
    graph: {
      name: 'made',
      inputs: [{ name: 'x', type: { elementType: DataType.float32, shape: ['batch', INPUTS] } }],
      outputs: [{ name: 'yhat', type: { elementType: DataType.float32, shape: undefined } }],
      valueTypes: new Map(),
      initializers: new Map(constants),
      nodes: nodesOf.map(([opType, inputs, output], k) => ({
        name: `n${k}`,
        opType,
        domain: '',
        inputs,
        outputs: [output],
        attributes: new Map(),
      })),
    },
  });
}

/**
 * Writes noise as Parquet, a row group at a time.
 * @param {string} path
 * @param {{ rows: number, groupRows: number, columns: readonly string[], seed?: number }} size
 */
export async function writeParquet(path, { rows, groupRows, columns, seed = 1 }) {
  const random = generator(seed);
  const file = createWriteStream(path);
  const bytes = new ByteWriter();
  /** @type {ParquetWriter | undefined} */
  let writer;
  const flush = async () => {
    if (!file.write(bytes.getBytes().slice())) await once(file, 'drain');
    bytes.index = 0;
  };
  for (let done = 0; done < rows; done += groupRows) {
    const count = Math.min(groupRows, rows - done);
    const columnData = columns.map((name) => ({
      name,
      data: Float32Array.from({ length: count }, () => random() + random() + random() - 1.5),
      type: /** @type {const} */ ('FLOAT'),
    }));
    writer ??= new ParquetWriter({
      writer: bytes,
      schema: schemaFromColumnData({ columnData }),
      codec: 'UNCOMPRESSED',
    });
    void writer.write({ columnData, rowGroupSize: count });
    await flush();
  }
  void writer?.finish();
  await flush();
  file.end();
  await once(file, 'finish');
}

export const dataColumns = [...names(INPUTS, 'in'), ...names(OUTPUTS, 'out')];
