import type { Table } from 'apache-arrow';
import { MagnitudeEdgeError, MagnitudeEdgeInferer, type GsnnGraph } from 'magnitude-edge';
import { columnsFromArrow } from '../edges/from-arrow.ts';
import { curves, markPairs } from '../edges/curves.ts';
import { degreePreservingPermutation, maskShare, type Edge } from '../graph/change.ts';
import { seeded } from '../graph/random.ts';
import type { Params } from '../state/params.ts';
import type { TrialOutcome, TrialRequest } from './protocol.ts';
import type { NamedPair } from './table-protocol.ts';

/** One repeat of a trial: another graph for the same statistics, and how the scores fare with it. */
export async function runTrial(
  inferer: MagnitudeEdgeInferer,
  request: TrialRequest,
  params: Params,
): Promise<TrialOutcome> {
  const edges = edgesOf(inferer.graph);
  if (edges.length === 0)
    throw new MagnitudeEdgeError(
      'invalid-argument',
      'The graph has no edges between different function nodes.',
    );
  const { score, layerAgg, ridge, excludeSelf } = params;
  const evaluate = (graph: GsnnGraph) => inferer.evaluate({ score, layerAgg, ridge, excludeSelf, graph });
  if (request.kind === 'permute') {
    const kept = request.repeat === 0 ? edges : degreePreservingPermutation(edges, seeded(request.repeat));
    const table = await evaluate(withEdges(inferer.graph, kept));
    // Judged by the pairs that the real graph leaves open, whatever the permuted one says.
    return fare(table, request.positives, edges, inferer.graph.nodeNames.function);
  }
  const { kept, masked } = request.edge
    ? { kept: edges.filter((edge) => !isSame(edge, request.edge!)), masked: [request.edge] }
    : maskShare(edges, request.share, seeded(request.repeat));
  const table = await evaluate(withEdges(inferer.graph, kept));
  const names = inferer.graph.nodeNames.function;
  return fare(
    table,
    masked.map(([source, target]) => [names[source]!, names[target]!]),
    kept,
    names,
  );
}

/** Ranks and AUC of positives among the pairs that are not in `known`. */
function fare(
  table: Table,
  positives: readonly NamedPair[],
  known: readonly Edge[],
  names: readonly string[],
): TrialOutcome {
  const columns = columnsFromArrow(table, 'the edge table');
  const knownKeys = new Set(known.map(([source, target]) => source * names.length + target));
  const hasEdge = columns.hasEdge.map((_, row) =>
    knownKeys.has(columns.src[row]! * names.length + columns.dst[row]!) ? 1 : 0,
  );
  const { rocAuc } = curves({ ...columns, hasEdge }, markPairs(columns, positives).marks);
  const { detail, summary } = MagnitudeEdgeInferer.evaluateTargetRanking(
    table,
    positives.map(([source, target]): [string, string] => [source, target]),
  );
  const ranks: unknown[] = [...detail.getChild('rank')!];
  return {
    rocAuc,
    mrr: summary.mrr ?? Number.NaN,
    ranks: ranks.map((rank) => (rank === null ? null : Number(rank))),
  };
}

const isSame = (a: Edge, b: Edge) => a[0] === b[0] && a[1] === b[1];

/** Edges between different function nodes. */
function edgesOf(graph: GsnnGraph): Edge[] {
  const [sources, targets] = graph.edgeIndex['function,function'];
  return Array.from(sources, (source, k): Edge => [source, targets[k]!]).filter(([a, b]) => a !== b);
}

function withEdges(graph: GsnnGraph, edges: readonly Edge[]): GsnnGraph {
  const list = [edges.map(([source]) => source), edges.map(([, target]) => target)] as const;
  return { ...graph, edgeIndex: { ...graph.edgeIndex, 'function,function': list } };
}
