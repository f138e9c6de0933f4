import { SampleCounter } from '../engine/sample-counter.ts';
import type { FitSettings } from './fit-settings.ts';

/**
 * What an inferer knows of the statistics in its engine. A reset replaces this object. Earlier calls keep theirs, and
 * with it the settings and the sample count they were made for.
 */
export class HeldStatistics {
  /** The settings that the samples were, or will be, fitted with */
  readonly settings: FitSettings;
  readonly tally = new SampleCounter();
  /** Whether the engine has refused a batch since its last reset */
  refused = false;

  constructor(settings: FitSettings) {
    this.settings = settings;
  }
}
