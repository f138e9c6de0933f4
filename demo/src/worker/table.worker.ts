import { buffersOf, copyOf, type EdgeColumns } from '../edges/edge-columns.ts';
import { histogram } from '../edges/histogram.ts';
import { clusterOrder, nodeOrder } from '../edges/node-order.ts';
import { RowQuery } from '../edges/row-query.ts';
import { largestMatrix, matrixFromColumns, type ScoreMatrix } from '../edges/score-matrix.ts';
import { HeatmapPyramid } from '../heatmap/pyramid.ts';
import { NetworkBuilder } from '../network/data.ts';
import { rankPositives } from './ranking.ts';
import { moved, ownPort, serve } from './rpc.ts';
import { readEdgeTable, type EdgeTable } from './edge-table.ts';
import { writeTable } from './write-table.ts';
import type { TableApi } from './table-protocol.ts';
import { MagnitudeEdgeError } from 'magnitude-edge';

/** One table at a time, with what has been worked out about it. */
let held: {
  edges: EdgeTable;
  columns: EdgeColumns;
  query: RowQuery;
  matrix?: ScoreMatrix;
  network?: NetworkBuilder;
  positive?: Uint8Array;
} | null = null;
let pyramid: HeatmapPyramid | null = null;

function table() {
  if (!held) throw new MagnitudeEdgeError('invalid-argument', 'No edge table is open.');
  return held;
}

function matrix(): ScoreMatrix {
  const current = table();
  const nodes = current.columns.names.length;
  if (nodes > largestMatrix)
    throw new MagnitudeEdgeError(
      'out-of-memory',
      `The heatmap takes up to ${largestMatrix} function nodes, this table has ${nodes}.`,
    );
  return (current.matrix ??= matrixFromColumns(current.columns));
}

function* knownEdges({ rows, hasEdge, src, dst }: EdgeColumns): Generator<[number, number]> {
  for (let row = 0; row < rows; row++) if (hasEdge[row]) yield [src[row]!, dst[row]!];
}

const api = {
  async open(bytes, name) {
    const edges = await readEdgeTable(bytes, name);
    held = { edges, columns: edges.columns, query: new RowQuery(edges.columns) };
    pyramid = null;
    const copy = copyOf(edges.columns);
    return moved(copy, buffersOf(copy));
  },
  rows(sort, filter) {
    const rows = table().query.rows(sort, filter);
    return moved(rows, [rows.buffer]);
  },
  layOut(orderName) {
    const square = matrix();
    const { columns } = table();
    const order =
      orderName === 'cluster'
        ? clusterOrder(square)
        : nodeOrder(orderName, columns.names, knownEdges(columns));
    pyramid = new HeatmapPyramid(square, order);
    return { order, extent: square.extent };
  },
  tile(request) {
    if (!pyramid) throw new MagnitudeEdgeError('invalid-argument', 'The heatmap has no layout yet.');
    const texels = pyramid.tile(request);
    return moved(texels, [texels.buffer]);
  },
  rank(positives) {
    const current = table();
    const ranking = rankPositives(current.edges, positives);
    current.positive = ranking.marks;
    return ranking;
  },
  histogram(column, bins) {
    const { columns } = table();
    const low = column === 'score' ? -1 : 0;
    // Pairs without a score carry p = 1 by convention; they are no evidence about the rest.
    return histogram(columns[column], low, 1, bins, (row) => !Number.isNaN(columns.score[row]!));
  },
  network(request) {
    const current = table();
    current.network ??= new NetworkBuilder(current.columns);
    return current.network.build(request, current.positive ?? null);
  },
  async write(format, rows) {
    const bytes = await writeTable(table().edges, format, rows);
    return moved(bytes, [bytes.buffer]);
  },
} satisfies TableApi;

serve(ownPort, api);
