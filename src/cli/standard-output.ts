import { codeOf, reasonOf } from './system-errors.ts';
import { oneLine, printLine, type Terminal } from './terminal.ts';

/** The reader closed standard output: not worth a message. */
export class ClosedOutput extends Error {
  override readonly name = 'ClosedOutput';
}

/**
 * Whether a file's bytes are being written to standard output; {@link writeToStandardOutput} reports their failures.
 */
let busy = false;

/**
 * The process's own streams, each created on first use: creating one takes as long as loading ten modules. A reader
 * that goes away ends the process without a stack trace.
 */
export const standard: Terminal = {
  get out() {
    watchOutput();
    return process.stdout;
  },
  get err() {
    watchErrors();
    return process.stderr;
  },
};

const watchOutput = once(() => {
  process.stdout.on('error', (error) => {
    if (busy) return;
    // The reader has read enough; files are written by now.
    if (codeOf(error) === 'EPIPE') process.exit();
    printLine(
      standard.err,
      oneLine(`magnitude-edge: standard output could not be written: ${reasonOf(error)}.`),
    );
    process.exit(1);
  });
});

const watchErrors = once(() => {
  // A reader that does not want progress is no reason to stop.
  process.stderr.on('error', () => undefined);
});

function once(action: () => void): () => void {
  let done = false;
  return () => {
    if (!done) action();
    done = true;
  };
}

/** @throws ClosedOutput; the system's error for any other failure */
export async function writeToStandardOutput(
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<void> {
  busy = true;
  for await (const piece of pieces) {
    await new Promise<void>((done, fail) => {
      standard.out.write(piece, (error) => {
        if (!error) done();
        else fail(codeOf(error) === 'EPIPE' ? new ClosedOutput() : error);
      });
    });
  }
  busy = false;
}
