/**
 * LZ4 as used in Arrow and Parquet files. Arrow's libraries write frames of linked blocks, which no maintained decoder
 * supports.
 */

const frameMagic = 0x184d2204;

/**
 * Decompresses an LZ4 frame (lz4_Frame_format.md) whose blocks may refer to earlier ones. Checksums are not verified;
 * Arrow's writers write none.
 * @param length exact length of the result
 * @throws Error for damaged input; never allocates or writes more than `length` bytes
 */
export function lz4Frame(input: Uint8Array, length: number): Uint8Array {
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  if (view.getUint32(0, true) !== frameMagic) throw new Error('it is not an LZ4 frame');
  const flags = view.getUint8(4);
  if (flags >> 6 !== 1) throw new Error(`version ${flags >> 6} of LZ4 frames is unknown`);
  if (flags & 0b1) throw new Error('its LZ4 frame needs a dictionary');
  const [blockChecksum, contentSize] = [(flags & 0b10000) !== 0, (flags & 0b1000) !== 0];
  if (contentSize && view.getBigUint64(6, true) !== BigInt(length)) {
    throw new Error('the size of its LZ4 frame is not what the file says');
  }
  const output = new Uint8Array(length);
  let at = 4 + 2 + (contentSize ? 8 : 0) + 1;
  let written = 0;
  for (;;) {
    const size = view.getUint32(at, true);
    at += 4;
    if (size === 0) break;
    const end = at + (size & 0x7fffffff);
    if (end > input.length) throw new Error('an LZ4 block extends beyond its frame');
    if (size >>> 31) {
      if (written + end - at > length) throw new Error('its LZ4 frame holds more than the file says');
      output.set(input.subarray(at, end), written);
      written += end - at;
    } else {
      written = lz4Block(input.subarray(at, end), output, written);
    }
    at = end + (blockChecksum ? 4 : 0);
  }
  if (written !== length)
    throw new Error(`its LZ4 frame holds ${written} bytes, but the file says ${length}`);
  return output;
}

/** Decompresses one bare LZ4 block: Parquet's LZ4_RAW. @throws Error for damaged input or a different length */
export function lz4Raw(input: Uint8Array, length: number): Uint8Array {
  const output = new Uint8Array(length);
  const written = lz4Block(input, output, 0);
  if (written !== length)
    throw new Error(`its LZ4 block holds ${written} bytes, but the file says ${length}`);
  return output;
}

/**
 * Decompresses Parquet's older LZ4: blocks preceded by their two sizes, big-endian, as Hadoop wrote them; or a bare
 * block, as others wrote under the same name.
 * @throws Error like {@link lz4Raw}
 */
export function lz4Hadoop(input: Uint8Array, length: number): Uint8Array {
  return hadoopBlocks(input, length) ?? lz4Raw(input, length);
}

function hadoopBlocks(input: Uint8Array, length: number): Uint8Array | undefined {
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  const output = new Uint8Array(length);
  let [at, written] = [0, 0];
  while (at + 8 <= input.length) {
    const [unpacked, packed] = [view.getUint32(at), view.getUint32(at + 4)];
    at += 8;
    if (at + packed > input.length || written + unpacked > length) return undefined;
    try {
      if (lz4Block(input.subarray(at, at + packed), output, written) !== written + unpacked) return undefined;
    } catch {
      return undefined;
    }
    at += packed;
    written += unpacked;
  }
  return at === input.length && written === length ? output : undefined;
}

/**
 * Decompresses a block into `output` from `start` on; it may refer to the output before `start`.
 * @returns the end of the block in `output`
 */
function lz4Block(input: Uint8Array, output: Uint8Array, start: number): number {
  let [at, written] = [0, start];
  /** A length continues as long as its bytes are 255. */
  const extended = (nibble: number): number => {
    let length = nibble;
    if (nibble !== 15) return length;
    let byte: number | undefined;
    do {
      byte = input[at++];
      if (byte === undefined) throw new Error('an LZ4 block is cut short');
      length += byte;
    } while (byte === 255);
    return length;
  };
  while (at < input.length) {
    const token = input[at++]!;
    const literals = extended(token >> 4);
    if (at + literals > input.length) throw new Error('an LZ4 block is cut short');
    if (written + literals > output.length) throw new Error('an LZ4 block holds more than the file says');
    output.set(input.subarray(at, at + literals), written);
    at += literals;
    written += literals;
    // The last sequence has no match.
    if (at === input.length) break;
    const distance = input[at]! | ((input[at + 1] ?? 0) << 8);
    at += 2;
    const match = extended(token & 15) + 4;
    if (distance === 0 || distance > written)
      throw new Error('an LZ4 block refers to bytes before its beginning');
    if (written + match > output.length) throw new Error('an LZ4 block holds more than the file says');
    // Byte by byte: a match may overlap its own output.
    for (let end = written + match; written < end; written++) output[written] = output[written - distance]!;
  }
  return written;
}
