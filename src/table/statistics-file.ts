import {
  Field,
  FixedSizeList,
  Float64,
  Int32,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Table,
  tableToIPC,
  Utf8,
  type Data,
} from 'apache-arrow';
import { openArrow } from '../columns/arrow.ts';
import type { Column } from '../columns/column.ts';
import { MemoryBudget } from '../columns/memory-budget.ts';
import { MagnitudeEdgeError } from '../errors.ts';
import { checkGraph, edgeTypes, type GsnnGraph } from '../model/graph.ts';
import { channelMatrices, channelVectors } from '../statistics/channel-sums.ts';
import { findImpossible } from '../statistics/check-statistics.ts';
import { firstNonFinite } from '../first-non-finite.ts';
import type { StateArrays } from '../statistics/fit-state.ts';
import type { SavedChannels } from '../statistics/saved-channels.ts';
import type { PairStatistics, SufficientStatistics } from '../statistics/sufficient-statistics.ts';
import { version } from '../version.ts';
import { channelData, channelFields, hasChannels, readChannels } from './channel-columns.ts';
import { nameVector } from './columns.ts';
import { graphFingerprint } from './graph-fingerprint.ts';
import { placedArrays, readState, stateData, stateFields, type PlacedArray } from './state-columns.ts';
import {
  checkSameOrigin,
  type FitProgressState,
  type ProgressFacts,
  type SavedStatistics,
  type StatisticsOrigin,
} from './statistics-origin.ts';
import { xxhash32, xxhash32Text } from '../bytes/xxhash32.ts';

/** Raised when the layout of the file changes so that older readers would misread it. */
const FORMAT = '2';

const vectors = [
  ['pivot_x', 'pivotX'],
  ['pivot_y', 'pivotY'],
  ['sum_x', 'sumX'],
  ['sum_y', 'sumY'],
  ['sum_y2', 'sumY2'],
] as const satisfies readonly (readonly [column: string, key: keyof PairStatistics])[];

/** The column of sums that only some statistics have. */
const SQUARES = 'sum_x2';

const matrices = [
  ['sum_xy', 'sumXY'],
  ['sum_xx', 'sumXX'],
] as const satisfies readonly (readonly [column: string, key: keyof PairStatistics])[];

/**
 * Statistics as an Arrow IPC file: one record batch per layer pair, one row per function node. Columns: pair, node,
 * pivot_x, pivot_y, sum_x, sum_y, sum_y2 (sums about the pivots), in some files sum_x2, and sum_xy, sum_xx as lists of
 * N (row i of the matrix); if channel values are held, further columns for them ({@link channelFields}). The schema
 * metadata hold n, N, P, the origin, the graph (`nodeNames` of inputs and outputs, `edgeIndex`), and a checksum over
 * all of it. A checkpoint also records the progress of its fit, and has columns for its state ({@link stateFields}).
 */
export function encodeStatistics({ statistics, channels, origin, progress }: SavedStatistics): Uint8Array {
  const { nodes } = statistics;
  const arrays: StateArrays = progress?.arrays ?? new Map();
  const squares = statistics.pairs.every(({ sumX2 }) => sumX2 !== undefined);
  const facts = factsOf(statistics, origin);
  const progressJson = progress && JSON.stringify({ ...progress.facts, arrays: placedArrays(arrays) });
  const rowType = new FixedSizeList(nodes, new Field('item', new Float64(), false));
  const schema = new Schema(
    [
      new Field('pair', new Int32(), false),
      new Field('node', new Utf8(), false),
      ...vectors.map(([column]) => new Field(column, new Float64(), false)),
      ...(squares ? [new Field(SQUARES, new Float64(), false)] : []),
      ...matrices.map(([column]) => new Field(column, rowType, false)),
      ...channelFields(channels),
      ...stateFields(arrays, nodes),
    ],
    new Map(
      Object.entries({
        format: FORMAT,
        version,
        ...facts,
        ...(progressJson === undefined ? {} : { checkpoint: progressJson }),
        checksum: checksumOf({
          facts,
          names: origin.functionNames,
          pairs: statistics.pairs,
          channels,
          progressJson,
          arrays,
        }),
      }),
    ),
  );
  const names = nameVector(origin.functionNames).data[0]!;
  const float64 = (data: Float64Array): Data<Float64> =>
    makeData({ type: new Float64(), length: data.length, nullCount: 0, data });
  const batches = statistics.pairs.map((pair, p) => {
    const children: Data[] = [
      makeData({ type: new Int32(), length: nodes, nullCount: 0, data: new Int32Array(nodes).fill(p) }),
      names,
      ...vectors.map(([, key]) => float64(pair[key])),
      ...(squares ? [float64(pair.sumX2!)] : []),
      ...matrices.map(([, key]) =>
        makeData({ type: rowType, length: nodes, nullCount: 0, child: float64(pair[key]) }),
      ),
      ...channelData(channels, p),
      ...stateData(arrays, nodes, p),
    ];
    return new RecordBatch(
      schema,
      makeData({ type: new Struct(schema.fields), length: nodes, nullCount: 0, children }),
    );
  });
  return tableToIPC(new Table(schema, batches), 'file');
}

/**
 * Reads what {@link encodeStatistics} wrote, even if another tool has rewritten the file. The caller has to check
 * whether it belongs to a graph (`checkSameOrigin`).
 *
 * @param name the source's name in error messages
 * @throws `invalid-data` if the bytes are not a complete statistics file of a known format, do not match their
 * checksum, or hold values that no samples can have given
 */
export function decodeStatistics(bytes: Uint8Array, name = 'The statistics file'): SavedStatistics {
  const refuse = (why: string, cause?: unknown): never => {
    throw new MagnitudeEdgeError('invalid-data', `${name} ${why}.`, {
      details: { source: name },
      ...(cause === undefined ? {} : { cause }),
    });
  };
  const file = openArrow(bytes, name, new MemoryBudget(Infinity));
  const { metadata } = file;
  const text = (key: string): string => metadata.get(key) ?? refuse(`lacks '${key}' in its schema metadata`);
  const count = (key: string): number => {
    const value = Number(text(key));
    return Number.isSafeInteger(value) && value >= 0 ? value : refuse(`gives ${key} as '${text(key)}'`);
  };
  if (text('format') !== FORMAT)
    refuse(`has format ${text('format')}, but this version reads format ${FORMAT}`);
  const [samples, nodes, pairCount] = [count('n'), count('N'), count('P')];
  if (file.rows !== nodes * pairCount) {
    refuse(`has ${file.rows} rows, not one for each of ${nodes} function nodes and ${pairCount} layer pairs`);
  }
  const column = (name: string): Column => {
    const position = file.fields.findIndex((field) => field.name === name);
    if (position < 0) refuse(`has no column '${name}'`);
    const [read] = file.readNow([position]);
    return read!;
  };
  const read = (name: string, width?: number): Float64Array => {
    const values =
      float64Values(column(name), width) ?? refuse(`has a column '${name}' of an unexpected type`);
    if (firstNonFinite(values) >= 0) refuse(`holds a value in column '${name}' that is not finite`);
    return values;
  };
  const columns = Object.fromEntries([
    ...vectors.map(([column, key]) => [key, read(column)]),
    ...matrices.map(([column, key]) => [key, read(column, nodes)]),
  ]) as PairColumns;
  const names = column('node');
  if (names.kind !== 'strings') return refuse("has a column 'node' of an unexpected type");
  const functionNames = Array.from({ length: nodes }, (_, i) => names.dictionary[names.codes[i]!] ?? '');
  const squares = file.fields.some(({ name }) => name === SQUARES) ? read(SQUARES) : undefined;
  const pairs = Array.from({ length: pairCount }, (_, p) => pairOf(columns, squares, p, nodes));
  const facts = Object.fromEntries(factNames.map((key) => [key, text(key)])) as Facts;
  const sizes = { samples, nodes, pairs: pairCount };
  const channels = hasChannels(file.fields) ? readChannels(column, file.fields, sizes, refuse) : undefined;
  const progressJson = metadata.get('checkpoint');
  const progress = progressJson === undefined ? undefined : readProgress(progressJson, sizes, column, refuse);
  const arrays: StateArrays = progress?.arrays ?? new Map();
  if (text('checksum') !== checksumOf({ facts, names: functionNames, pairs, channels, progressJson, arrays }))
    refuse('does not match its checksum: it is damaged or was changed');
  const impossible = findImpossible({ nodes, samples, pairs });
  if (impossible !== undefined) refuse(impossible);
  const origin: StatisticsOrigin = {
    functionNames,
    graph: facts.graph,
    structure: structureOf(facts, functionNames, refuse),
    reduction: facts.reduction,
    usePreNorm: facts.usePreNorm === 'true',
    loss: facts.loss,
  };
  return { statistics: { nodes, samples, pairs }, channels, origin, progress };
}

const factNames = [
  'n',
  'N',
  'P',
  'graph',
  'nodeNames',
  'edgeIndex',
  'reduction',
  'usePreNorm',
  'loss',
] as const;

/** Schema metadata other than format, version and checksum. */
type Facts = Readonly<Record<(typeof factNames)[number], string>>;

function factsOf({ samples, nodes, pairs }: SufficientStatistics, origin: StatisticsOrigin): Facts {
  const { nodeNames, edgeIndex } = origin.structure;
  const { input, output } = nodeNames;
  const edges = edgeTypes.map((type) => [type, edgeIndex[type].map((ends) => Array.from(ends))]);
  return {
    n: String(samples),
    N: String(nodes),
    P: String(pairs.length),
    graph: origin.graph,
    nodeNames: JSON.stringify({ input, output }),
    edgeIndex: JSON.stringify(Object.fromEntries(edges)),
    reduction: origin.reduction,
    usePreNorm: String(origin.usePreNorm),
    loss: origin.loss,
  };
}

/** The graph in the metadata, which must match their fingerprint. */
function structureOf(
  facts: Facts,
  functionNames: readonly string[],
  refuse: (why: string) => never,
): GsnnGraph {
  let graph: GsnnGraph;
  try {
    const { input, output } = JSON.parse(facts.nodeNames) as GsnnGraph['nodeNames'];
    const edgeIndex = JSON.parse(facts.edgeIndex) as GsnnGraph['edgeIndex'];
    graph = { nodeNames: { input, function: functionNames, output }, edgeIndex };
    checkGraph(graph, 'the graph');
  } catch (cause) {
    return refuse(`holds no graph: ${cause instanceof Error ? cause.message.replace(/\.$/, '') : 'damaged'}`);
  }
  return graphFingerprint(graph) === facts.graph ? graph : refuse('does not match its graph fingerprint');
}

/** Progress of the fit that wrote a file, and the state that it held besides the statistics. */
function readProgress(
  progressJson: string,
  sizes: { readonly nodes: number; readonly pairs: number },
  column: (name: string) => Column,
  refuse: (why: string, cause?: unknown) => never,
): FitProgressState {
  try {
    const { arrays, ...facts } = JSON.parse(progressJson) as ProgressFacts & {
      readonly arrays: readonly PlacedArray[];
    };
    return { facts, arrays: readState(arrays, sizes, column, refuse) };
  } catch (cause) {
    if (cause instanceof MagnitudeEdgeError) throw cause;
    return refuse('has no readable record of how far the fit had got', cause);
  }
}

/** Contents of a file, including its metadata. */
interface Checked {
  readonly facts: Facts;
  readonly names: readonly string[];
  readonly pairs: readonly PairStatistics[];
  readonly channels: SavedChannels | undefined;
  readonly progressJson: string | undefined;
  readonly arrays: StateArrays;
}

/** Checksum of all contents, however they are cut into record batches: eight hexadecimal digits. */
function checksumOf({ facts, names, pairs, channels, progressJson, arrays }: Checked): string {
  const hash = ({ buffer, byteOffset, byteLength }: ArrayBufferView): number =>
    xxhash32(new Uint8Array(buffer, byteOffset, byteLength));
  const numbers = pairs.map((pair) => [
    ...[...vectors, ...matrices].map(([, key]) => hash(pair[key])),
    ...(pair.sumX2 ? [hash(pair.sumX2)] : []),
  ]);
  const ofChannels = channels && [
    hash(channels.counts),
    ...('sums' in channels
      ? channels.sums.pairs.flatMap((pair) =>
          [...channelVectors, ...channelMatrices].map((key) => hash(pair[key])),
        )
      : channels.pairs.flatMap(({ x, u }) => [hash(x), hash(u)])),
  ];
  const stateHashes = [...arrays.values()].map((values) => values.map(hash));
  const whole = JSON.stringify([
    factNames.map((key) => facts[key]),
    names,
    numbers,
    ...(ofChannels ?? []),
    ...(progressJson === undefined ? [] : [progressJson, stateHashes]),
  ]);
  return xxhash32Text(whole);
}

/**
 * The statistics of a file that must belong to a known origin.
 *
 * @param pairs expected number of layer pairs
 * @throws `invalid-data` as {@link decodeStatistics}, `graph-mismatch` if they belong elsewhere
 */
export function decodeStatisticsOf(
  bytes: Uint8Array,
  expected: StatisticsOrigin,
  pairs: number,
): SavedStatistics {
  const name = 'The statistics file';
  const saved = decodeStatistics(bytes, name);
  const { statistics, origin } = saved;
  checkSameOrigin(expected, origin, name);
  if (statistics.pairs.length !== pairs) {
    throw new MagnitudeEdgeError(
      'graph-mismatch',
      `${name} has ${statistics.pairs.length} layer pairs, but the model has ${pairs}.`,
    );
  }
  return saved;
}

/** All values of a float64 column, or of a column of lists of `width` values, concatenated; undefined for any other. */
function float64Values(column: Column, width: number | undefined): Float64Array | undefined {
  if (column.kind === 'lists')
    return column.width === width ? float64Values(column.items, undefined) : undefined;
  if (column.kind !== 'numbers' || width !== undefined || column.valid !== undefined) return undefined;
  return column.values instanceof Float64Array ? column.values : undefined;
}

type PairColumns = Record<Exclude<keyof PairStatistics, 'sumX2'>, Float64Array>;

function pairOf(
  columns: PairColumns,
  squares: Float64Array | undefined,
  p: number,
  nodes: number,
): PairStatistics {
  const part = (key: keyof PairColumns, width: number): Float64Array =>
    columns[key].slice(p * nodes * width, (p + 1) * nodes * width);
  return {
    pivotX: part('pivotX', 1),
    pivotY: part('pivotY', 1),
    sumX: part('sumX', 1),
    sumY: part('sumY', 1),
    sumY2: part('sumY2', 1),
    sumXY: part('sumXY', nodes),
    sumXX: part('sumXX', nodes),
    ...(squares ? { sumX2: squares.slice(p * nodes, (p + 1) * nodes) } : {}),
  };
}
