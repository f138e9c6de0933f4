import type { Curves } from '../edges/curves.ts';
import type { EdgeColumns } from '../edges/edge-columns.ts';
import type { Histogram } from '../edges/histogram.ts';
import type { NodeOrderName } from '../edges/node-order.ts';
import type { RowFilter, Sort } from '../edges/row-query.ts';
import type { TileRequest } from '../heatmap/pyramid.ts';
import type { NetworkRequest } from '../network/data.ts';
import type { NetworkData } from '../network/scene.ts';
import type { ExportFormat } from '../export/formats.ts';

export type NamedPair = readonly [source: string, target: string];

/** What the table says about a list of positive edges. */
export interface Ranking {
  readonly curves: Curves;
  /** n_positives, mrr, top@k */
  readonly summary: Readonly<Record<string, number>>;
  readonly detail: readonly RankedPositive[];
  /** 1 at the rows of positives. */
  readonly marks: Uint8Array;
  /** Names that the table does not have. */
  readonly unknown: readonly string[];
  /** Positives that the table knows and has no score for. */
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

/** The worker that owns the edge table and answers questions about it. */
export interface TableApi {
  /** Takes over a table; the answer is a copy of its columns for the page. */
  open(bytes: Uint8Array<ArrayBuffer>, name: string): Promise<EdgeColumns>;
  rows(sort: Sort, filter: RowFilter): Uint32Array;
  layOut(order: NodeOrderName): HeatmapLayout;
  tile(request: TileRequest): Uint32Array;
  rank(positives: readonly NamedPair[]): Ranking;
  histogram(column: 'pValue' | 'score', bins: number): Histogram;
  network(request: NetworkRequest): NetworkData;
  write(format: ExportFormat, rows: Uint32Array | null): Promise<Uint8Array<ArrayBuffer>>;
}
