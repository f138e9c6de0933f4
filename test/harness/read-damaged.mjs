/** The reading side of fuzz.mjs: node read-damaged.mjs FIRST END SEED ONLY; a JSON line for each file. */
import { readFileSync } from 'node:fs';
import { TextEncoder } from 'node:util';
import { gzipSync } from 'node:zlib';
import {
  batches,
  decodeTable,
  GsnnModel,
  MagnitudeEdgeError,
  MagnitudeEdgeInferer,
  readPositiveEdges,
} from 'magnitude-edge';
import { buildTrainingGraph } from 'magnitude-edge/training-graph';
import { damage, randomNumbers } from './damage.mjs';

/** CPU time that one file may take, in seconds. */
const MOST_SECONDS = 1;

/** @param {string} path */
const fixture = (path) => new Uint8Array(readFileSync(new URL(`../${path}`, import.meta.url)));
const modelBytes = fixture('../demo/public/example/model.onnx');
const model = await GsnnModel.load(modelBytes);
const inferer = await MagnitudeEdgeInferer.create(model, { backend: 'cpu' });
const { input, output } = model.graph.nodeNames;
const values = (/** @type {number} */ count) =>
  Float32Array.from({ length: 8 * count }, (_, k) => Math.sin(k));
await inferer.fit([{ size: 8, x: values(input.length), y: values(output.length) }]);
const statistics = await inferer.saveStats();
const withChannels = await inferer.saveStats({ channels: true });

/** @typedef {(bytes: Uint8Array) => Promise<string>} Read reads, and returns what identifies the content */

/** @type {Read} */
async function readSamples(bytes) {
  let content = '';
  for await (const { x, y } of batches(bytes, model, { name: 'file' })) content += digest(x) + digest(y);
  return content;
}

/** @param {Parameters<typeof decodeTable>[1]} format @returns {Read} */
const readTable = (format) => async (bytes) => {
  const table = await decodeTable(bytes, format, 'file');
  let content = '';
  for (const name of ['src_func', 'corr']) content += `${table.getChild(name)?.get(0)}${table.numRows}`;
  return content;
};

/** @type {Read} */
async function readStatistics(bytes) {
  await inferer.loadStats(bytes);
  return digest(
    await inferer.saveStats({ channels: bytes.length > (statistics.length + withChannels.length) / 2 }),
  );
}

/** @type {Read} */
async function readModel(bytes) {
  const loaded = await GsnnModel.load(bytes);
  await loaded.release();
  return 'a model';
}

/** @param {string} input whose gradient is requested @returns {Read} */
const readOnnx = (input) => async (bytes) => String(buildTrainingGraph(bytes, { wrt: [input] }).bytes.length);

/** @type {Read} */
async function readPositives(bytes) {
  return JSON.stringify(readPositiveEdges(bytes, 'file'));
}

const tsv = new TextEncoder().encode('TF\ttarget\tscore\nf1\tf13\t1\nf2\tf14\tNA\n');

/**
 * By name: undamaged bytes, how they are read, and whether a checksum covers the content.
 * @type {Record<string, { bytes: Uint8Array, read: Read, sealed?: boolean }>}
 */
const formats = {
  npz: { bytes: fixture('fixtures/reading/float16.npz'), read: readSamples, sealed: true },
  'npz deflated': { bytes: fixture('fixtures/reading/shared.npz'), read: readSamples, sealed: true },
  'arrow samples': { bytes: fixture('fixtures/reading/float16.arrow'), read: readSamples },
  'arrow zstd': { bytes: fixture('fixtures/reading/zstd.arrow'), read: readSamples },
  'arrow lz4': { bytes: fixture('fixtures/reading/pandas-default.feather'), read: readSamples },
  'parquet samples': { bytes: fixture('fixtures/reading/polars-default.parquet'), read: readSamples },
  'csv samples': { bytes: csvOfSamples(), read: readSamples },
  'csv.gz samples': { bytes: gzipped(csvOfSamples()), read: readSamples, sealed: true },
  'arrow edges': { bytes: fixture('fixtures/reading/edges-polars.arrow'), read: readTable('arrow') },
  'parquet edges': { bytes: fixture('fixtures/reading/edges-gzip.parquet'), read: readTable('parquet') },
  'parquet decimals': {
    bytes: fixture('fixtures/reading/duckdb-decimal.parquet'),
    read: readTable('parquet'),
  },
  positives: { bytes: fixture('fixtures/reading/heldout.csv'), read: readPositives },
  'positives tsv': { bytes: tsv, read: readPositives },
  statistics: { bytes: statistics, read: readStatistics, sealed: true },
  'statistics, channels': { bytes: withChannels, read: readStatistics, sealed: true },
  model: { bytes: modelBytes, read: readModel },
  'onnx if': { bytes: fixture('fixtures/onnx-cases/if-reads-around/model.onnx'), read: readOnnx('x') },
  'onnx function': { bytes: fixture('fixtures/onnx-cases/function-with-if/model.onnx'), read: readOnnx('x') },
  'onnx mlp': { bytes: fixture('fixtures/ordinary/mlp/model.onnx'), read: readOnnx('input') },
};

const [first = 0, end = 0, seed = 0] = process.argv.slice(2, 5).map(Number);
const only = process.argv[5];
const chosen = Object.entries(formats).filter(([name]) => !only || name === only);
/** @type {string[]} */
const originals = [];
for (const [, { bytes, read }] of chosen) originals.push(await read(bytes));
for (let file = first; file < end; file++) {
  const at = file % chosen.length;
  const [format, { bytes, read, sealed }] = /** @type {typeof chosen[number]} */ (chosen[at]);
  const random = randomNumbers(seed * 1_000_003 + file);
  const before = process.cpuUsage();
  let outcome;
  let fault;
  try {
    const content = await read(damage(bytes, random));
    outcome = 'read';
    if (sealed && content !== originals[at]) fault = 'read as something else without a word';
  } catch (error) {
    outcome = 'refused';
    if (!(error instanceof MagnitudeEdgeError)) {
      const stack = (error instanceof Error ? String(error.stack) : String(error)).split('\n');
      fault = `${stack[0]} ${(stack[1] ?? '').trim()}`;
    }
  }
  const { user, system } = process.cpuUsage(before);
  const seconds = (user + system) / 1e6;
  if (seconds > MOST_SECONDS) fault ??= `took ${seconds.toFixed(2)} s of CPU time`;
  console.log(JSON.stringify({ file, format, outcome, fault }));
}
process.exit(0);

function csvOfSamples() {
  const header = [...input, ...output].join(',');
  const row = (/** @type {number} */ k) =>
    [...input, ...output].map((_, c) => Math.sin(k + c).toFixed(4)).join(',');
  return new TextEncoder().encode([header, ...Array.from({ length: 20 }, (_, k) => row(k))].join('\n'));
}

/** @param {Uint8Array} bytes */
function gzipped(bytes) {
  return new Uint8Array(gzipSync(bytes));
}

/** @param {ArrayBufferView | ArrayLike<unknown>} numbers */
function digest(numbers) {
  const bytes = ArrayBuffer.isView(numbers)
    ? new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength)
    : new TextEncoder().encode(JSON.stringify(numbers));
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return `${hash.toString(16)}.`;
}
