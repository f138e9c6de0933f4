import { standard } from './standard-output.ts';
import { printLine } from './terminal.ts';

/** Signals that ask a command to end, with their numbers; the exit status is 128 plus the number. */
const signals = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

/**
 * Makes signals end the process quietly: no temporary file stays (they are removed at exit), no stack trace is printed.
 */
export function endQuietly(): void {
  for (const [signal, number] of Object.entries(signals)) {
    process.once(signal, () => {
      if (standard.err.isTTY === true) standard.err.write('\n');
      printLine(standard.err, 'magnitude-edge: interrupted');
      process.exit(128 + number);
    });
  }
}
