import { MagnitudeEdgeError } from '../errors.ts';
import type { GsnnGraph } from '../model/graph.ts';
import type { ChannelFacts } from '../engine/channels/channels.ts';
import type { UncertaintyFacts } from '../resampling/uncertainty.ts';
import type { StateArrays } from '../statistics/fit-state.ts';
import { mergeStatistics } from '../statistics/merge.ts';
import { mergeChannels } from '../scoring/channel/merge-channels.ts';
import type { SavedChannels } from '../statistics/saved-channels.ts';
import type { SufficientStatistics } from '../statistics/sufficient-statistics.ts';
import { graphFingerprint } from './graph-fingerprint.ts';

/** Where statistics come from: statistics add up only when all of this agrees. */
export interface StatisticsOrigin {
  /** Names of the N function nodes, in order */
  readonly functionNames: readonly string[];
  /** {@link graphFingerprint} of the graph */
  readonly graph: string;
  /** The graph itself: what scores are judged by */
  readonly structure: GsnnGraph;
  readonly reduction: string;
  readonly usePreNorm: boolean;
  /** Name of the loss */
  readonly loss: string;
}

/** Statistics together with where they come from: what a statistics file holds. */
export interface SavedStatistics {
  readonly statistics: SufficientStatistics;
  /** The channel values of the same samples, or sums of them, where they are held */
  readonly channels?: SavedChannels | undefined;
  readonly origin: StatisticsOrigin;
  /** Of a checkpoint: how far its fit was */
  readonly progress?: FitProgressState | undefined;
}

/** How far a fit was, and what it was told. */
export interface ProgressFacts {
  /** Version of this package */
  readonly version: string;
  /** Batches in the statistics */
  readonly batches: number;
  /** Over all samples in the statistics, in their order: eight hexadecimal digits */
  readonly content: string;
  /** The files behind the samples; empty where there are none that anybody knows of */
  readonly files: readonly {
    readonly name: string;
    readonly size: number;
    readonly modified?: number | undefined;
  }[];
  /** What the fit was told, by name, in words that are equal where the settings are */
  readonly settings: Readonly<Record<string, string>>;
  readonly uncertainty?: UncertaintyFacts | undefined;
  readonly channels?: ChannelFacts | undefined;
}

/** How far a fit was, with what it held beside the statistics. */
export interface FitProgressState {
  readonly facts: ProgressFacts;
  readonly arrays: StateArrays;
}

/** The origin of statistics that are gathered with these settings. */
export function statisticsOrigin(
  graph: GsnnGraph,
  settings: Pick<StatisticsOrigin, 'reduction' | 'usePreNorm' | 'loss'>,
): StatisticsOrigin {
  const { reduction, usePreNorm, loss } = settings;
  const { nodeNames, edgeIndex } = graph;
  return {
    functionNames: nodeNames.function,
    graph: graphFingerprint(graph),
    structure: { nodeNames, edgeIndex },
    reduction,
    usePreNorm,
    loss,
  };
}

/**
 * Checks that statistics found somewhere belong with the ones expected.
 *
 * @param name what messages call the place where `found` comes from
 * @throws `graph-mismatch` at the first fact that differs
 */
export function checkSameOrigin(expected: StatisticsOrigin, found: StatisticsOrigin, name: string): void {
  const refuse = (what: string, wanted: string | number, given: string | number): never => {
    throw new MagnitudeEdgeError(
      'graph-mismatch',
      `${name} has ${what} ${given} where ${wanted} was expected.`,
      {
        details: { source: name, expected: wanted, found: given },
      },
    );
  };
  const wanted = expected.functionNames;
  if (found.functionNames.length !== wanted.length) {
    refuse('a number of function nodes of', wanted.length, found.functionNames.length);
  }
  const differing = wanted.findIndex((functionName, i) => functionName !== found.functionNames[i]);
  if (differing >= 0) {
    refuse(`function node ${differing} named`, wanted[differing]!, found.functionNames[differing]!);
  }
  if (found.graph !== expected.graph) {
    refuse(
      'other input or output nodes or other edges: a graph with fingerprint',
      expected.graph,
      found.graph,
    );
  }
  if (found.reduction !== expected.reduction) refuse('reduction', expected.reduction, found.reduction);
  if (found.usePreNorm !== expected.usePreNorm) {
    refuse('usePreNorm', String(expected.usePreNorm), String(found.usePreNorm));
  }
  if (found.loss !== expected.loss) refuse('loss', expected.loss, found.loss);
}

/**
 * Joins statistics over disjoint samples. Channel values are kept where both have them.
 *
 * @param name what messages call the place where `b` comes from
 * @throws `graph-mismatch` where they do not belong together
 */
export function mergeSaved(a: SavedStatistics, b: SavedStatistics, name: string): SavedStatistics {
  checkSameOrigin(a.origin, b.origin, name);
  return {
    origin: a.origin,
    statistics: mergeStatistics(a.statistics, b.statistics),
    channels: mergeChannels(a.channels, b.channels),
  };
}
