import { SampleCounter } from '../engine/sample-counter.ts';
import type { FitSettings } from './fit-settings.ts';

/**
 * What an inferer knows of the statistics in its engine. A reset puts another one in its place: calls that were made before
 * keep the one that they were made of, and with it the settings and the count of their samples.
 */
export class HeldStatistics {
  /** What the samples were, or will be, fitted with */
  readonly settings: FitSettings;
  readonly tally = new SampleCounter();
  /** Whether the engine has refused a batch since it was last reset */
  refused = false;

  constructor(settings: FitSettings) {
    this.settings = settings;
  }
}
