import { codeOf } from './system-errors.ts';

/** Standard output was closed by who read it: not worth a word. */
export class ClosedOutput extends Error {
  override readonly name = 'ClosedOutput';
}

let busy = false;

/** Whether standard output is getting a file's bytes, whose failures {@link writeToStandardOutput} tells. */
export function isWritingToStandardOutput(): boolean {
  return busy;
}

/** @throws ClosedOutput; what the system says of another failure */
export async function writeToStandardOutput(
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<void> {
  busy = true;
  for await (const piece of pieces) {
    await new Promise<void>((done, fail) => {
      process.stdout.write(piece, (error) => {
        if (!error) done();
        else fail(codeOf(error) === 'EPIPE' ? new ClosedOutput() : error);
      });
    });
  }
  busy = false;
}
