import type { ConnectOpts, SocketConstructorOpts } from 'node:net';
import { codeOf } from '../system-errors.ts';
import { FrameParser, type Frame } from './frames.ts';

const fs = process.getBuiltinModule('node:fs');

// Standard pipes by file descriptor: Node's own streams load much else and copy all that they read.
const STANDARD_INPUT = 0;
const STANDARD_OUTPUT = 1;

/** Milliseconds before a full non-blocking pipe is tried again. */
const PAUSE = 2;

/**
 * Calls `take` with each frame from standard input; resolves at its end.
 * @throws MagnitudeEdgeError `invalid-data`
 */
export async function takeFrames(take: (frame: Frame) => void): Promise<void> {
  const parser = new FrameParser();
  const took = (bytes: number): void => {
    const frame = parser.advance(bytes);
    if (frame) take(frame);
  };
  const kind = fs.fstatSync(STANDARD_INPUT);
  if (kind.isFIFO() || kind.isSocket()) await readPipe(() => parser.place, took);
  else for (let bytes; (bytes = fs.readSync(STANDARD_INPUT, parser.place)) > 0;) took(bytes);
  parser.end();
}

/** Does not use `fs.read`: a process cannot end while one of its threads waits there. */
function readPipe(place: () => Uint8Array, took: (bytes: number) => void): Promise<void> {
  const { Socket } = process.getBuiltinModule('node:net');
  return new Promise((resolve, reject) => {
    const callback = (bytes: number): boolean => {
      try {
        took(bytes);
        return true;
      } catch (error) {
        input.destroy(error as Error);
        return false;
      }
    };
    // The types declare it only for sockets that connect.
    const options: SocketConstructorOpts & ConnectOpts = {
      fd: STANDARD_INPUT,
      writable: false,
      onread: { buffer: place, callback },
    };
    const input = new Socket(options);
    input.on('error', reject).on('end', resolve).resume();
  });
}

/** Resolves once the system has taken all pieces. */
export async function writePieces(pieces: readonly Uint8Array[]): Promise<void> {
  let left = pieces;
  while (left.length > 0) {
    const written = await writeSome(left);
    if (written === 0) await new Promise((resolve) => setTimeout(resolve, PAUSE));
    left = without(left, written);
  }
}

/** @returns the number of bytes that the system took */
function writeSome(pieces: readonly Uint8Array[]): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.writev(STANDARD_OUTPUT, pieces, (error, bytes) => {
      if (!error || codeOf(error) === 'EAGAIN') resolve(error ? 0 : bytes);
      else reject(error);
    });
  });
}

/** The rest of the pieces after their first `bytes` bytes. */
function without(pieces: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let index = 0;
  let gone = bytes;
  while (index < pieces.length && gone >= pieces[index]!.length) gone -= pieces[index++]!.length;
  const left = pieces.slice(index);
  if (gone > 0) left[0] = left[0]!.subarray(gone);
  return left;
}
