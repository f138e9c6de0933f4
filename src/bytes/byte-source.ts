/** A known number of bytes, readable in any order: a file, a URL or memory. */
export interface ByteSource {
  readonly size: number;
  /**
   * Reads all bytes from `start` to `end` (exclusive); do not modify them.
   * @throws RangeError for a range outside the source; MagnitudeEdgeError if it cannot be read
   */
  read(start: number, end: number): Promise<Uint8Array>;
  /** Closes what is open. Idempotent. */
  close(): Promise<void>;
}

/** Bytes in memory; `read` returns views. */
export class BytesInMemory implements ByteSource {
  readonly size: number;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.size = bytes.length;
    this.#bytes = bytes;
  }

  read(start: number, end: number): Promise<Uint8Array> {
    const wrong = outOfRange(this.size, start, end);
    return wrong ? Promise.reject(wrong) : Promise.resolve(this.#bytes.subarray(start, end));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** The error for a range outside `size` bytes or with a NaN bound; undefined for a valid range. */
export function outOfRange(size: number, start: number, end: number): RangeError | undefined {
  if (start >= 0 && start <= end && end <= size) return undefined;
  return new RangeError(`it has ${size} bytes, but bytes ${start} to ${end} were needed`);
}

/** All bytes in order, in pieces of `bytes` bytes; the last may be shorter. */
export async function* inPieces(
  source: ByteSource,
  bytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let start = 0; start < source.size; start += bytes)
    yield await source.read(start, Math.min(start + bytes, source.size));
}
