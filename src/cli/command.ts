import type { Terminal } from './terminal.ts';

/** One subcommand: its help text and its action. */
export interface Command {
  readonly help: string;
  /** @throws UsageError for wrong usage, MagnitudeEdgeError for refused input */
  run(args: readonly string[], terminal: Terminal): Promise<void>;
}
