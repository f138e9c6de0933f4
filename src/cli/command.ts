import type { Terminal } from './terminal.ts';

/** One subcommand: its help, and what it does with its arguments. */
export interface Command {
  readonly help: string;
  /** @throws UsageError for wrong usage, MagnitudeEdgeError for refused input */
  run(args: readonly string[], terminal: Terminal): Promise<void>;
}
