import {
  encodeTable,
  MagnitudeEdgeError,
  type ChannelBlock,
  type EdgeScores,
  type MagnitudeEdgeInferer,
} from 'magnitude-edge';
import type { Table } from 'apache-arrow';
import { edgesOf, isSameEdge, withEdges, type Edge } from '../graph/change.ts';
import { scoreOptions, scoringOf, type Params } from '../results/params.ts';
import { placementOf } from './facts.ts';
import type { Begun } from './fit.ts';
import type { ScoredTable } from './protocol.ts';
import { moved } from './rpc.ts';
import type { ScoreHeatmap } from './score-heatmap.ts';

/** Most rows that a page handles comfortably. Of a larger square the strongest are kept; p and q are over all pairs. */
const mostRows = 2_000_000;

/** Scores of the samples seen, also during a fit; a new request aborts the earlier one. */
export class Scoring {
  readonly #begun: () => Begun | null;
  readonly #heatmap: ScoreHeatmap;
  #stopping = new AbortController();
  #stoppingBlock = new AbortController();
  #settled: Promise<unknown> = Promise.resolve();

  constructor(begun: () => Begun | null, heatmap: ScoreHeatmap) {
    this.#begun = begun;
    this.#heatmap = heatmap;
  }

  /** Settles when no scoring is under way. */
  get settled(): Promise<unknown> {
    return this.#settled;
  }

  stop(): void {
    this.#stopping.abort();
  }

  evaluate(params: Params): Promise<ScoredTable> {
    return this.#inPlaceOfOthers((signal) =>
      this.#table(params, signal, false, (inferer, scores) =>
        scores.table({ excludeSelf: params.excludeSelf, ...rowLimit(inferer), signal }),
      ),
    );
  }

  resample(params: Params, onResample: (done: number, total: number) => void): Promise<ScoredTable> {
    const { excludeSelf } = params;
    return this.#inPlaceOfOthers((signal) =>
      this.#table(params, signal, true, (inferer) =>
        inferer.evaluate({
          ...scoreOptions(params),
          excludeSelf,
          signal,
          ...rowLimit(inferer),
          uncertainty: true,
          onResample,
        }),
      ),
    );
  }

  partialScores(params: Params, changed: Edge | null): Promise<Uint8Array<ArrayBuffer>> {
    return this.#inPlaceOfOthers(async (signal) => {
      const { inferer } = this.#required();
      const edges = edgesOf(inferer.graph);
      const others = edges.filter((edge) => !changed || !isSameEdge(edge, changed));
      const known = others.length < edges.length || !changed ? others : [...others, changed];
      const table = await inferer.evaluate({
        ...scoreOptions({ ...params, score: 'partial' }),
        excludeSelf: params.excludeSelf,
        graph: withEdges(inferer.graph, known),
        uncertainty: false,
        ...rowLimit(inferer),
        signal,
      });
      signal.throwIfAborted();
      const bytes = encodeTable(table, 'arrow') as Uint8Array<ArrayBuffer>;
      return moved(bytes, [bytes.buffer]);
    });
  }

  async channelBlock(
    params: Params,
    source: number,
    target: number,
    layerPair: number,
  ): Promise<ChannelBlock> {
    this.#stoppingBlock.abort();
    this.#stoppingBlock = new AbortController();
    const { inferer } = this.#required();
    const names = inferer.graph.nodeNames.function;
    const { layerAgg, lambda } = scoreOptions(params);
    const { signal } = this.#stoppingBlock;
    const options = { layerAgg, lambda, signal, layerPair: layerAgg === 'pooled' ? undefined : layerPair };
    const [block] = await inferer.channelBlock(names[source]!, names[target]!, options);
    return block!;
  }

  #required(): Begun {
    const begun = this.#begun();
    if (begun) return begun;
    throw new MagnitudeEdgeError('too-few-samples', 'There are no scores before samples are seen.');
  }

  /** Runs `work` in place of the scoring under way, which is no longer wanted. */
  #inPlaceOfOthers<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    this.stop();
    this.#stopping = new AbortController();
    const done = work(this.#stopping.signal);
    this.#settled = Promise.allSettled([this.#settled, done]);
    return done;
  }

  /** Computes the scores and their table, and hands the scores to the heatmap if they are on a GPU. */
  async #table(
    params: Params,
    signal: AbortSignal,
    resampled: boolean,
    tableOf: (inferer: MagnitudeEdgeInferer, scores: EdgeScores) => Promise<Table>,
  ): Promise<ScoredTable> {
    const { inferer, source } = this.#required();
    const placement = placementOf(inferer);
    const start = performance.now();
    const scores = await inferer.scores({ ...scoreOptions(params), signal });
    try {
      const table = await tableOf(inferer, scores);
      signal.throwIfAborted();
      const provenance = {
        ...source,
        kind: 'fit' as const,
        params: { ...source.params, ...scoringOf(params) },
        // From the table: a fit may have advanced meanwhile.
        samples: Number(table.schema.metadata.get('n')),
        placement,
        seconds: (performance.now() - start) / 1000,
        resampled,
      };
      const bytes = encodeTable(table, 'arrow') as Uint8Array<ArrayBuffer>;
      const { gpu } = scores;
      let onGpu: number | null = null;
      if (gpu) onGpu = await this.#heatmap.hold(scores, gpu, squareOf(inferer, params.excludeSelf));
      else scores.release();
      return moved({ bytes, provenance, onGpu }, [bytes.buffer]);
    } catch (error) {
      scores.release();
      throw error;
    }
  }
}

/** What the heatmap shows besides the scores. */
function squareOf({ graph }: MagnitudeEdgeInferer, excludeSelf: boolean) {
  const [sources, targets] = graph.edgeIndex['function,function'];
  const edges = Array.from(sources, (source, edge) => [source, targets[edge]!] as const);
  return { nodes: graph.nodeNames.function.length, edges, excludeSelf };
}

function rowLimit({ graph }: MagnitudeEdgeInferer): { top?: number } {
  return graph.nodeNames.function.length ** 2 > mostRows ? { top: mostRows } : {};
}
