import type { Curves } from '../edges/curves.ts';
import type { Recovery } from 'magnitude-edge';
import type { EdgeColumns } from '../edges/edge-columns.ts';
import type { Histogram } from '../edges/histogram.ts';
import type { NodeOrderName } from '../edges/node-order.ts';
import type { RowFilter, Sort } from '../edges/row-query.ts';
import type { TileRequest } from '../heatmap/pyramid.ts';
import type { GroundView } from '../network/ground.ts';
import type { NetworkGraph } from '../network/graph.ts';
import type { InferredEdges } from '../network/inferred.ts';
import type { LayoutKind, NetworkLayout } from '../network/layout.ts';
import type { Scene } from '../network/scene.ts';
import type { ExportFormat } from '../export/formats.ts';

export type NamedPair = readonly [source: string, target: string];

/** How the table ranks a list of positive edges. */
export interface Ranking {
  readonly curves: Curves;
  /** Figures among all pairs that are not known edges; null if no positive has a score, or pairs are missing. */
  readonly recovery: Recovery | null;
  /** n_positives, mrr, top@k */
  readonly summary: Readonly<Record<string, number>>;
  readonly detail: readonly RankedPositive[];
  /** 1 at the rows of positives. */
  readonly marks: Uint8Array;
  /** Names that the table does not have. */
  readonly unknown: readonly string[];
  /** Positives in the table without a score. */
  readonly unscored: number;
}

export interface RankedPositive {
  readonly source: string;
  readonly target: string;
  readonly score: number;
  readonly rank: number | null;
  readonly candidates: number;
}

export interface HeatmapLayout {
  /** `order[place]` is the node shown there. */
  readonly order: Uint32Array;
  /** Largest |score|. */
  readonly extent: number;
}

/** Questions about one edge table. */
export interface TableQuestions {
  rows(sort: Sort, filter: RowFilter): Uint32Array;
  layOut(order: NodeOrderName): HeatmapLayout;
  tile(request: TileRequest): Uint32Array;
  rank(positives: readonly NamedPair[]): Ranking;
  histogram(column: 'pValue' | 'score', bins: number): Histogram;
  /** Pairs that are not in the graph, pass the filters and score at least `minScore`; null takes the best few. */
  inferred(minScore: number | null, filter: RowFilter): InferredEdges;
  /** Approximate size in bytes of what `write` returns. */
  fileSize(format: ExportFormat, rows: Uint32Array | null): Promise<number>;
  write(format: ExportFormat, rows: Uint32Array | null, title: string): Promise<Uint8Array<ArrayBuffer>>;
}

/** An opened table: its number, and a copy of its columns for the page. */
export interface OpenedTable {
  readonly table: number;
  readonly columns: EdgeColumns;
}

/** The worker that owns edge tables. A question names its table, so that no answer is about another one. */
export interface TableApi {
  /** Opens a table; the previous one stays until it is closed. `names` are those of all function nodes, if known. */
  open(bytes: Uint8Array<ArrayBuffer>, name: string, names?: readonly string[]): Promise<OpenedTable>;
  /** Refuses with `superseded` if the table was closed. */
  ask(table: number, question: keyof TableQuestions, args: readonly unknown[]): unknown;
  close(table: number): void;
  /** Lays out a graph, whether it belongs to a table or not. */
  layOutGraph(graph: NetworkGraph, kind: LayoutKind): NetworkLayout;
  /** Sets the network to draw from now on. */
  showNetwork(scene: Scene): void;
  /** Draws it, without marks and names. */
  paintNetwork(view: GroundView): ImageBitmap;
}
