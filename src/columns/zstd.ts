import { Decompress, decompress } from 'fzstd';

const frameMagic = 0xfd2fb528;
/** Largest window that Zstandard itself uses by default. */
const mostWindow = 1 << 27;

/**
 * Decompresses a Zstandard frame (RFC 8878).
 * @param length exact length of the result
 * @throws Error for damaged input; never allocates more than the length or a window
 */
export function zstd(input: Uint8Array, length: number): Uint8Array {
  const { contentSize, windowSize } = frameHeader(input);
  // fzstd allocates the size that a frame claims, and assumes that it gets filled.
  if (contentSize !== undefined) {
    if (contentSize !== length) {
      throw new Error(`its Zstandard frame declares ${contentSize} bytes, but the file says ${length}`);
    }
    return decompress(input, new Uint8Array(length)).subarray(0, length);
  }
  if (windowSize > mostWindow) throw new Error(`its Zstandard frame needs a window of ${windowSize} bytes`);
  const output = new Uint8Array(length);
  let written = 0;
  new Decompress((chunk) => {
    if (written + chunk.length > length) throw new Error('its Zstandard frame holds more than the file says');
    output.set(chunk, written);
    written += chunk.length;
  }).push(input, true);
  if (written !== length) {
    throw new Error(`its Zstandard frame holds ${written} bytes, but the file says ${length}`);
  }
  return output;
}

/** Sizes declared by a frame header: RFC 8878, 3.1.1.1. */
function frameHeader(input: Uint8Array): { contentSize: number | undefined; windowSize: number } {
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  if (view.getUint32(0, true) !== frameMagic) throw new Error('it is not a Zstandard frame');
  const descriptor = view.getUint8(4);
  const singleSegment = (descriptor & 0x20) !== 0;
  let at = 5;
  let windowSize = 0;
  if (!singleSegment) {
    const window = view.getUint8(at++);
    windowSize = 2 ** (10 + (window >> 3)) * (1 + (window & 7) / 8);
  }
  at += [0, 1, 2, 4][descriptor & 3]!;
  switch (descriptor >> 6) {
    case 0:
      return { contentSize: singleSegment ? view.getUint8(at) : undefined, windowSize };
    case 1:
      return { contentSize: view.getUint16(at, true) + 256, windowSize };
    case 2:
      return { contentSize: view.getUint32(at, true), windowSize };
    default:
      return { contentSize: Number(view.getBigUint64(at, true)), windowSize };
  }
}
