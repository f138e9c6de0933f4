import { buffersOf, copyOf, type EdgeColumns } from '../edges/edge-columns.ts';
import { histogram } from '../edges/histogram.ts';
import { clusterOrder, nodeOrder } from '../edges/node-order.ts';
import { RowQuery } from '../edges/row-query.ts';
import { largestMatrix, matrixFromColumns, type ScoreMatrix } from '../edges/score-matrix.ts';
import { HeatmapPyramid } from '../heatmap/pyramid.ts';
import { paintGround } from '../network/ground.ts';
import { inferredEdges } from '../network/inferred.ts';
import { layOutGraph } from '../network/layout.ts';
import { noScene } from '../network/scene.ts';
import { fileSize } from './file-size.ts';
import { rankPositives } from './ranking.ts';
import { moved, ownPort, serve } from './rpc.ts';
import { readEdgeTable, type EdgeTable } from './edge-table.ts';
import { writeTable } from './write-table.ts';
import type { TableApi, TableQuestions } from './table-protocol.ts';
import { MagnitudeEdgeError } from 'magnitude-edge';

/** A table with what was derived from it. */
interface Held {
  readonly edges: EdgeTable;
  readonly columns: EdgeColumns;
  readonly query: RowQuery;
  matrix?: ScoreMatrix;
  pyramid?: HeatmapPyramid;
}

/** The table shown and, for a moment, its successor, by number. */
const tables = new Map<number, Held>();
let last = 0;
/** The network shown. */
let scene = noScene;

function matrixOf(held: Held): ScoreMatrix {
  const nodes = held.columns.names.length;
  if (nodes > largestMatrix)
    throw new MagnitudeEdgeError(
      'out-of-memory',
      `The heatmap takes up to ${largestMatrix} function nodes, this table has ${nodes}.`,
    );
  return (held.matrix ??= matrixFromColumns(held.columns));
}

function* knownEdges({ rows, hasEdge, src, dst }: EdgeColumns): Generator<[number, number]> {
  for (let row = 0; row < rows; row++) if (hasEdge[row]) yield [src[row]!, dst[row]!];
}

type Answers = {
  readonly [Q in keyof TableQuestions]: (
    held: Held,
    ...args: Parameters<TableQuestions[Q]>
  ) => ReturnType<TableQuestions[Q]>;
};

const answers: Answers = {
  rows({ query }, sort, filter) {
    const rows = query.rows(sort, filter);
    return moved(rows, [rows.buffer]);
  },
  layOut(held, orderName) {
    const { columns } = held;
    const square = matrixOf(held);
    const order =
      orderName === 'cluster'
        ? clusterOrder(square)
        : nodeOrder(orderName, columns.names, knownEdges(columns));
    held.pyramid = new HeatmapPyramid(square, order);
    return { order, extent: square.extent };
  },
  tile({ pyramid }, request) {
    if (!pyramid) throw new MagnitudeEdgeError('invalid-argument', 'The heatmap has no layout yet.');
    const texels = pyramid.tile(request);
    return moved(texels, [texels.buffer]);
  },
  rank({ edges }, positives) {
    return rankPositives(edges, positives);
  },
  histogram({ columns }, column, bins) {
    const low = column === 'score' ? -1 : 0;
    // Pairs without a score carry p = 1 by convention; they are no evidence about the rest.
    return histogram(columns[column], low, 1, bins, (row) => !Number.isNaN(columns.score[row]!));
  },
  inferred({ columns, query }, minScore, filter) {
    return inferredEdges(columns, query, minScore, filter);
  },
  fileSize({ edges }, format, rows) {
    return fileSize(edges, format, rows);
  },
  async write({ edges }, format, rows, title) {
    const bytes = await writeTable(edges, format, rows, title);
    return moved(bytes, [bytes.buffer]);
  },
};

const api = {
  async open(bytes, name, names) {
    const edges = await readEdgeTable(bytes, name, names);
    const table = ++last;
    tables.set(table, { edges, columns: edges.columns, query: new RowQuery(edges.columns) });
    const columns = copyOf(edges.columns);
    return moved({ table, columns }, buffersOf(columns));
  },
  ask(table, question, args) {
    const held = tables.get(table);
    if (!held)
      throw Object.assign(new Error('Another table has taken the place of this one.'), {
        name: 'superseded',
      });
    return (answers[question] as (held: Held, ...args: readonly unknown[]) => unknown)(held, ...args);
  },
  close(table) {
    tables.delete(table);
  },
  layOutGraph(graph, kind) {
    return layOutGraph(graph, kind);
  },
  showNetwork(shown) {
    scene = shown;
  },
  paintNetwork(view) {
    const picture = paintGround(scene, view);
    return moved(picture, [picture]);
  },
} satisfies TableApi;

serve(ownPort, api);
