import { snappyUncompress } from 'hyparquet';

/**
 * Decompresses a Snappy block (format_description.txt of Snappy).
 * @param length exact length of the result
 * @throws Error for damaged input
 */
export function snappy(input: Uint8Array, length: number): Uint8Array {
  checkElements(input, length);
  const output = new Uint8Array(length);
  snappyUncompress(input, output);
  return output;
}

/**
 * Checks the elements without decompressing them: hyparquet takes the length of a literal of 2^31 bytes or more as
 * negative, and reads the bytes before it over and over.
 */
function checkElements(input: Uint8Array, length: number): void {
  let at = 0;
  while (input[at]! >= 0x80) at++;
  at++;
  let written = 0;
  while (at < input.length) {
    const tag = input[at++]!;
    const kind = tag & 3;
    let size = (tag >> 2) + 1;
    if (kind === 0) {
      const extra = size > 60 ? size - 60 : 0;
      if (extra > 0) {
        size = 1;
        for (let byte = 0; byte < extra; byte++) size += (input[at + byte] ?? 0) * 2 ** (8 * byte);
      }
      at += extra + size;
    } else {
      if (kind === 1) size = ((tag >> 2) & 7) + 4;
      at += [0, 1, 2, 4][kind]!;
    }
    written += size;
    if (at > input.length || written > length)
      throw new Error('a Snappy block holds more than the file says');
  }
  if (written !== length) {
    throw new Error(`a Snappy block holds ${written} bytes, but the file says ${length}`);
  }
}
