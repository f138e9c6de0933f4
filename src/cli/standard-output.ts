import { codeOf, reasonOf } from './system-errors.ts';
import { oneLine, printLine, type Terminal } from './terminal.ts';

/** Standard output was closed by who read it: not worth a word. */
export class ClosedOutput extends Error {
  override readonly name = 'ClosedOutput';
}

/** Whether standard output is getting a file's bytes, whose failures {@link writeToStandardOutput} tells. */
let busy = false;

/**
 * The process's own streams, each made when it is asked for, which takes as long as loading ten modules. A reader that goes
 * away ends the process without a stack trace.
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
    // Who closed it has read enough; files are written by now.
    if (codeOf(error) === 'EPIPE') process.exit();
    printLine(
      standard.err,
      oneLine(`magnitude-edge: standard output could not be written: ${reasonOf(error)}.`),
    );
    process.exit(1);
  });
});

const watchErrors = once(() => {
  // Progress that nobody reads is no reason to stop.
  process.stderr.on('error', () => undefined);
});

function once(action: () => void): () => void {
  let done = false;
  return () => {
    if (!done) action();
    done = true;
  };
}

/** @throws ClosedOutput; what the system says of another failure */
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
