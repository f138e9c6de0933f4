import type { Table } from 'apache-arrow';
import type { Precision, Reduction } from '../engine/engine.ts';
import { withAggregate } from '../engine/scores/with-reader.ts';
import { MagnitudeEdgeError } from '../errors.ts';
import type { InfererModel } from '../model/external-model.ts';
import { checkGraphFitsModel, functionParents, type GsnnGraph } from '../model/graph.ts';
import { describeLoss } from '../model/loss-settings.ts';
import { resampleChannels } from '../resampling/resample-channels.ts';
import type { ResampledScores } from '../resampling/resampled-scores.ts';
import { requestedUncertainty, type Uncertainty } from '../resampling/uncertainty.ts';
import { DEFAULT_LAMBDA } from '../scoring/channel/request.ts';
import { magnitudeProvenance, magnitudeSettings, ranOn } from '../scoring/magnitude-settings.ts';
import type { MagnitudeScore } from '../scoring/score-matrices.ts';
import {
  selectEdges,
  selectionPlan,
  type ConditionalScores,
  type Selection,
} from '../scoring/select-edges.ts';
import { raggedFromLists, type RaggedIndices } from '../statistics/ragged.ts';
import { createYielder } from '../statistics/yielder.ts';
import { edgeSet } from '../table/edge-set.ts';
import { checkEdgeTableOptions } from '../table/edge-table.ts';
import { selectionTable } from '../table/selection-table.ts';
import { statisticsOrigin, type StatisticsOrigin } from '../table/statistics-origin.ts';
import type { ScoredGraph } from './edge-scores.ts';
import type { HeldStatistics } from './held-statistics.ts';
import type {
  EvaluateBatchesOptions,
  EvaluateOptions,
  ScoreOptions,
  SelectOptions,
} from './inferer-options.ts';
import type { InfererStatistics } from './inferer-statistics.ts';

type OnResample = NonNullable<EvaluateOptions['onResample']>;

/** How an inferer takes magnitudes, and its precision. */
export interface InfererScoresSettings {
  readonly reduction: Reduction;
  readonly usePreNorm: boolean;
  readonly precision: Precision;
}

/** Scores, and how to estimate their uncertainty if that is requested. */
interface Scored extends ScoredGraph {
  readonly resample: ((onResample?: OnResample) => Promise<ResampledScores>) | undefined;
}

/** Scores of the samples that an inferer holds, for its graph or another one. */
export class InfererScores {
  readonly #model: InfererModel;
  readonly #statistics: InfererStatistics;
  readonly #settings: InfererScoresSettings;

  constructor(model: InfererModel, statistics: InfererStatistics, settings: InfererScoresSettings) {
    this.#model = model;
    this.#statistics = statistics;
    this.#settings = settings;
  }

  /** Origin of the statistics. */
  origin({ settings: { graph, loss } }: HeldStatistics): StatisticsOrigin {
    const { reduction, usePreNorm } = this.#settings;
    return statisticsOrigin(graph, { reduction, usePreNorm, loss: describeLoss(loss) });
  }

  /** Scores, with resampling results if requested. */
  async resampled(options: EvaluateBatchesOptions) {
    checkEdgeTableOptions(options);
    const { resample, ...scored } = await this.score(options);
    try {
      const resampled = await resample?.(options.onResample);
      return { ...scored, rows: { ...options, resampled } };
    } catch (error) {
      scored.scores.release();
      throw error;
    }
  }

  async score(options: EvaluateOptions): Promise<Scored> {
    const { score = 'corr', signal } = options;
    const uncertainty = requestedUncertainty(options.uncertainty, this.#statistics.uncertainty);
    const { graph, parents, usePreNorm, loss } = this.#subject(options.graph);
    signal?.throwIfAborted();
    const scored =
      score === 'channel'
        ? await this.#scoreChannels(options, uncertainty)
        : await this.#scoreMagnitudes({ ...options, score }, parents, uncertainty);
    return { ...scored, graph, parents, provenance: { score, usePreNorm, loss, ...scored.provenance } };
  }

  /** Selects the best candidate edges, one after the other. */
  async select(options: SelectOptions): Promise<Table> {
    const { score = 'corr', signal, onStep } = options;
    const plan = selectionPlan(options);
    const { graph, parents, usePreNorm, loss } = this.#subject(options.graph);
    const known = edgeSet(graph.edgeIndex['function,function'], graph.nodeNames.function.length);
    const work = (scores: ConditionalScores): Promise<Selection> =>
      selectEdges(scores, known, plan, createYielder(signal), onStep);
    const { result, provenance } =
      score === 'channel'
        ? await this.#selectByChannels(options, work)
        : await this.#selectByMagnitudes({ ...options, score }, parents, work);
    return selectionTable(result, graph, { score, usePreNorm, loss, ...provenance }, plan);
  }

  /** What scores are computed for. @param other a graph to use instead of that of the fit */
  #subject(other: GsnnGraph | undefined) {
    const { held } = this.#statistics;
    if (other) checkGraphFitsModel(other, this.#model.graph);
    const graph = other ?? held.settings.graph;
    const parents = other ? raggedFromLists(functionParents(other)) : held.settings.parents;
    const { usePreNorm, loss } = this.origin(held);
    return { graph, parents, usePreNorm, loss };
  }

  async #scoreMagnitudes(
    options: ScoreOptions & { readonly score: MagnitudeScore },
    conditioningSets: RaggedIndices,
    uncertainty: Uncertainty | undefined,
  ) {
    const request = { ...magnitudeSettings(options), conditioningSets, signal: options.signal };
    const { samples, snapshot, scores } = await this.#statistics.score(request, uncertainty);
    return {
      scores,
      resample: snapshot && ((onResample?: OnResample) => snapshot.resample(scores, request, onResample)),
      provenance: magnitudeProvenance(request, this.#madeFrom(samples, request.score === 'corr')),
    };
  }

  async #scoreChannels(options: EvaluateOptions, uncertainty: Uncertainty | undefined) {
    const { maxQ = 1 } = options;
    const plan = uncertainty?.plan;
    if (maxQ < 1 && !plan?.permutations) {
      throw new MagnitudeEdgeError(
        'invalid-argument',
        'maxQ needs p-values, which channel scores have only from permutations: create the inferer with uncertainty: { permutations }.',
        { details: { option: 'maxQ', found: maxQ } },
      );
    }
    const request = channelRequest(options);
    const { samples, snapshot, scores } = await this.#statistics.scoreChannels(request, plan !== undefined);
    const resample = (onResample?: OnResample) =>
      withAggregate(scores, (observed) => resampleChannels(snapshot!, observed, request, plan!, onResample));
    return {
      scores,
      resample: plan && resample,
      provenance: { ...settingsOf(request), samples, ...this.#channelsRanOn },
    };
  }

  async #selectByMagnitudes(
    options: SelectOptions & { readonly score: MagnitudeScore },
    conditioningSets: RaggedIndices,
    work: (scores: ConditionalScores) => Promise<Selection>,
  ) {
    const settings = magnitudeSettings(options);
    const request = { ...settings, conditioningSets, signal: options.signal };
    const { samples, result } = await this.#statistics.select(request, work);
    return { result, provenance: magnitudeProvenance(settings, this.#madeFrom(samples, false)) };
  }

  async #selectByChannels(options: SelectOptions, work: (scores: ConditionalScores) => Promise<Selection>) {
    const request = channelRequest(options);
    const { samples, result } = await this.#statistics.selectChannels(request, work);
    const provenance = { ...settingsOf(request), samples, ...this.#channelsRanOn, solver: 'cpu' };
    return { result, provenance };
  }

  /** @param plain whether these are plain correlations */
  #madeFrom(samples: number, plain: boolean) {
    const { backend, plan, tiled } = this.#statistics.choice.engine.diagnostics;
    const { reduction, precision } = this.#settings;
    // On the CPU only plain correlations are fast, and only from samples that are kept.
    const fast = precision === 'fast' && plain && backend === 'cpu' && (plan !== 'sums' || tiled === true);
    return { reduction, samples, ...(fast ? { backend, precision } : ranOn(backend, precision)) };
  }

  get #channelsRanOn() {
    return ranOn(this.#statistics.channels?.backend ?? 'cpu', this.#settings.precision);
  }
}

/** @throws MagnitudeEdgeError `invalid-argument` for ranks, which only magnitudes have */
function channelRequest(options: ScoreOptions) {
  const {
    layerAgg = 'mean',
    correlation = 'pearson',
    lambda = DEFAULT_LAMBDA,
    varianceFloor,
    signal,
  } = options;
  if (correlation !== 'pearson') {
    throw new MagnitudeEdgeError(
      'invalid-argument',
      `correlation: '${correlation}' applies to magnitudes, not to score: 'channel'.`,
      { details: { option: 'correlation', found: correlation } },
    );
  }
  return { layerAgg, lambda, varianceFloor, signal };
}

/** The settings of a request that provenance records */
function settingsOf({ layerAgg, lambda, varianceFloor }: ReturnType<typeof channelRequest>) {
  return { layerAgg, lambda, varianceFloor };
}
