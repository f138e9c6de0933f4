import { standard } from './standard-output.ts';
import { printLine } from './terminal.ts';

/** Signals that ask a command to end, and their numbers: the exit status is 128 more. */
const signals = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

/** Makes the end by a signal a quiet one: it leaves no temporary file (they are removed at exit) and no stack trace. */
export function endQuietly(): void {
  for (const [signal, number] of Object.entries(signals)) {
    process.once(signal, () => {
      if (standard.err.isTTY === true) standard.err.write('\n');
      printLine(standard.err, 'magnitude-edge: interrupted');
      process.exit(128 + number);
    });
  }
}
