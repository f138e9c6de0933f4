import { FrameParser, type Frame } from '../../src/cli/serve/frames.ts';

/** Parses frames from bytes that arrive `step` at a time. */
export function parsedFrames(bytes: Uint8Array, step = Infinity): Frame[] {
  const parser = new FrameParser();
  const frames: Frame[] = [];
  for (let at = 0; at < bytes.length;) {
    const { place } = parser;
    const came = bytes.subarray(at, at + Math.min(step, place.length));
    place.set(came);
    at += came.length;
    const frame = parser.advance(came.length);
    if (frame) frames.push(frame);
  }
  parser.end();
  return frames;
}
