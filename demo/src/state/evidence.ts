import type { ChannelBlock } from 'magnitude-edge';
import { computed, signal } from '@preact/signals';
import { otherFiles } from '../results/changes.ts';
import type { PairMagnitudes } from '../worker/protocol.ts';
import { result } from './edges.ts';
import { phase } from './run.ts';
import { currentInputs } from './session.ts';
import { fitWorker } from './workers.ts';

/** The data behind the scores shown. Nodes are given by number. */
export interface Evidence {
  /** Changes with the samples behind the magnitudes. */
  readonly ofSamples: string;
  /** Changes with the scores. */
  readonly ofScores: string;
  /** Whether it can be requested now. */
  readonly canAsk: boolean;
  /**
   * Activation magnitudes of the source and gradient magnitudes of the target, by layer pair; also those of other
   * sources, if the provider has them.
   */
  magnitudes(source: number, target: number, others: readonly number[]): Promise<PairMagnitudes>;
  channelBlock(source: number, target: number, layerPair: number): Promise<ChannelBlock>;
}

/** Evidence for a table whose model runs outside the page, in a notebook's kernel. */
export const evidenceOfHost = signal<Evidence | null>(null);

/** Null if the model or the samples behind the scores are not available. */
export const evidence = computed<Evidence | null>(() => {
  const from = result.value?.provenance;
  if (from?.kind !== 'fit') return evidenceOfHost.value;
  if (otherFiles(from, currentInputs.value).length > 0) return null;
  return {
    ofSamples: String(from.run),
    ofScores: JSON.stringify([from.run, from.samples, from.params]),
    canAsk: phase.value === 'idle',
    magnitudes: (source, target, others) => fitWorker.magnitudes(from.params, source, target, others),
    channelBlock: (source, target, layerPair) =>
      fitWorker.channelBlock(from.params, source, target, layerPair),
  };
});
