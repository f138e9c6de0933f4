import { isWritingToStandardOutput } from './standard-output.ts';
import { codeOf, reasonOf } from './system-errors.ts';
import { oneLine, printLine } from './terminal.ts';

/** Signals that ask a command to end, and their numbers: the exit status is 128 more. */
const signals = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

/**
 * Makes every end of the process a quiet one: a signal or a reader that goes away leaves no temporary file (they are
 * removed at exit) and no stack trace.
 */
export function endQuietly(): void {
  for (const [signal, number] of Object.entries(signals)) {
    process.once(signal, () => {
      if (process.stderr.isTTY) process.stderr.write('\n');
      printLine(process.stderr, 'magnitude-edge: interrupted');
      process.exit(128 + number);
    });
  }
  // Progress that nobody reads is no reason to stop.
  process.stderr.on('error', () => undefined);
  process.stdout.on('error', (error) => {
    if (isWritingToStandardOutput()) return;
    // Who closed it has read enough; files are written by now.
    if (codeOf(error) === 'EPIPE') process.exit();
    printLine(
      process.stderr,
      oneLine(`magnitude-edge: standard output could not be written: ${reasonOf(error)}.`),
    );
    process.exit(1);
  });
}
