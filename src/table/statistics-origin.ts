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

/** Origin of statistics: they can be added only if all of this agrees. */
export interface StatisticsOrigin {
  /** Names of the N function nodes, in order */
  readonly functionNames: readonly string[];
  /** {@link graphFingerprint} of the graph */
  readonly graph: string;
  /** The graph itself, by which scores are judged */
  readonly structure: GsnnGraph;
  readonly reduction: string;
  readonly usePreNorm: boolean;
  /** Name of the loss */
  readonly loss: string;
}

/** Statistics and their origin: the contents of a statistics file. */
export interface SavedStatistics {
  readonly statistics: SufficientStatistics;
  /** The channel values of the same samples, or their sums, if held */
  readonly channels?: SavedChannels | undefined;
  readonly origin: StatisticsOrigin;
  /** Of a checkpoint: the progress of its fit */
  readonly progress?: FitProgressState | undefined;
}

/** Progress of a fit, and its settings. */
export interface ProgressFacts {
  /** Version of this package */
  readonly version: string;
  /** Batches in the statistics */
  readonly batches: number;
  /** Checksum of all samples in the statistics, in order: eight hexadecimal digits */
  readonly content: string;
  /** The files behind the samples; empty if none are known */
  readonly files: readonly {
    readonly name: string;
    readonly size: number;
    readonly modified?: number | undefined;
  }[];
  /** Settings of the fit by name, as text that is equal if the settings are */
  readonly settings: Readonly<Record<string, string>>;
  readonly uncertainty?: UncertaintyFacts | undefined;
  readonly channels?: ChannelFacts | undefined;
}

/** Progress of a fit, and the state that it held besides the statistics. */
export interface FitProgressState {
  readonly facts: ProgressFacts;
  readonly arrays: StateArrays;
}

/** The origin of statistics accumulated with these settings. */
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
 * Checks that statistics have the expected origin.
 *
 * @param name where `found` comes from, for error messages
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
  const expectedNames = expected.functionNames;
  if (found.functionNames.length !== expectedNames.length) {
    refuse('a number of function nodes of', expectedNames.length, found.functionNames.length);
  }
  const differing = expectedNames.findIndex((functionName, i) => functionName !== found.functionNames[i]);
  if (differing >= 0) {
    refuse(`function node ${differing} named`, expectedNames[differing]!, found.functionNames[differing]!);
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
 * Merges statistics over disjoint samples. Channel values are kept if both have them.
 *
 * @param name where `b` comes from, for error messages
 * @throws `graph-mismatch` if they do not belong together
 */
export function mergeSaved(a: SavedStatistics, b: SavedStatistics, name: string): SavedStatistics {
  checkSameOrigin(a.origin, b.origin, name);
  return {
    origin: a.origin,
    statistics: mergeStatistics(a.statistics, b.statistics),
    channels: mergeChannels(a.channels, b.channels),
  };
}
