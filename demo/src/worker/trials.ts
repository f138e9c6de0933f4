import type { Table } from 'apache-arrow';
import { MagnitudeEdgeError, MagnitudeEdgeInferer, type GsnnGraph } from 'magnitude-edge';
import { curves, markPairs } from '../edges/curves.ts';
import { columnsFromArrow } from '../edges/from-arrow.ts';
import {
  degreePreservingPermutation,
  edgesOf,
  isSameEdge,
  maskShare,
  withEdges,
  type Edge,
} from '../graph/change.ts';
import { seeded } from '../graph/random.ts';
import { scoreOptions, type Params } from '../results/params.ts';
import type { BatchFeed } from './batch-feed.ts';
import type { TrialOutcome, TrialRequest } from './protocol.ts';
import type { NamedPair } from './table-protocol.ts';

/** What a trial works with. */
interface Bench {
  /** Holds the statistics of the fit shown; trials do not change them. */
  readonly inferer: MagnitudeEdgeInferer;
  readonly params: Params;
  readonly signal: AbortSignal;
  /** One pass over the data. */
  readonly feed: () => BatchFeed;
  readonly onSamples: (samples: number) => void;
}

/** Runs one repeat of a trial and evaluates its scores. */
export function runTrial(request: TrialRequest, bench: Bench): Promise<TrialOutcome> {
  const edges = edgesOf(bench.inferer.graph);
  if (edges.length === 0)
    throw new MagnitudeEdgeError(
      'invalid-argument',
      'The graph has no edges between different function nodes.',
    );
  return request.kind === 'permute' ? permute(request, edges, bench) : mask(request, edges, bench);
}

type RequestOf<Kind> = Extract<TrialRequest, { kind: Kind }>;

/** The statistics held, judged by a graph with the same degrees. */
async function permute(
  { repeat, positives }: RequestOf<'permute'>,
  edges: readonly Edge[],
  bench: Bench,
): Promise<TrialOutcome> {
  const { graph } = bench.inferer;
  const drawn = repeat === 0 ? edges : degreePreservingPermutation(edges, seeded(repeat));
  const table = await evaluate(bench.inferer, bench, withEdges(graph, drawn));
  // Judged on the pairs that the real graph leaves open, whatever the permuted one says.
  return { maskedIn: null, ...fare(table, positives, edges, graph.nodeNames.function) };
}

/** Masks edges and tests whether they are recovered. */
async function mask(
  { repeat, share, edge }: RequestOf<'mask'>,
  edges: readonly Edge[],
  bench: Bench,
): Promise<TrialOutcome> {
  const { graph, model } = bench.inferer;
  const names = graph.nodeNames.function;
  const { kept, masked } = edge
    ? { kept: edges.filter((other) => !isSameEdge(other, edge)), masked: [edge] }
    : maskShare(edges, share, seeded(repeat));
  const pairs = masked.map(([source, target]): [string, string] => [names[source]!, names[target]!]);
  const inModel = model.maskableEdges.length > 0;
  const table = inModel
    ? await fitWithout(pairs, bench)
    : await evaluate(bench.inferer, bench, withEdges(graph, kept));
  return { maskedIn: inModel ? 'model' : 'graph', ...fare(table, pairs, kept, names) };
}

/** Scores of a new fit with edges switched off in the model and removed from the judging graph. */
async function fitWithout(maskedEdges: readonly [string, string][], bench: Bench): Promise<Table> {
  const { params, signal } = bench;
  const { reduction, usePreNorm, backend, loss } = params;
  const { model } = bench.inferer;
  const inferer = await MagnitudeEdgeInferer.create(model, { reduction, usePreNorm, backend });
  const feed = bench.feed();
  try {
    await inferer.fit(feed.handOut(signal), {
      loss,
      maskedEdges,
      signal,
      onProgress: ({ samples }) => {
        feed.counted();
        bench.onSamples(samples);
      },
    });
    signal.throwIfAborted();
    return await evaluate(inferer, bench);
  } finally {
    await inferer.release();
  }
}

function evaluate(
  inferer: MagnitudeEdgeInferer,
  { params, signal }: Bench,
  graph?: GsnnGraph,
): Promise<Table> {
  const { excludeSelf } = params;
  return inferer.evaluate({ ...scoreOptions(params), excludeSelf, graph, signal, uncertainty: false });
}

/** Ranks and AUC of positives among the pairs that are not in `known`. */
function fare(
  table: Table,
  positives: readonly NamedPair[],
  known: readonly Edge[],
  names: readonly string[],
): Omit<TrialOutcome, 'maskedIn'> {
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
  const [sources, targets, ranks] = ['src_func', 'dst_func', 'rank'].map((name) => [
    ...(detail.getChild(name)! as Iterable<unknown>),
  ]) as [unknown[], unknown[], unknown[]];
  return {
    rocAuc,
    mrr: summary.mrr ?? Number.NaN,
    pairs: sources.map((source, row) => [String(source), String(targets[row])]),
    ranks: ranks.map((rank) => (rank === null ? null : Number(rank))),
  };
}
