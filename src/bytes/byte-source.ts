/** Bytes of a known number that can be read in any order: of a file, an address or in memory. */
export interface ByteSource {
  readonly size: number;
  /**
   * The bytes `start .. end`, all of them; not to be changed.
   * @throws RangeError for a range that the source does not have; MagnitudeEdgeError where it cannot be read
   */
  read(start: number, end: number): Promise<Uint8Array>;
  /** Closes what is open. Idempotent. */
  close(): Promise<void>;
}

/** Bytes in memory; ranges are views of them. */
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

/** The error for a range that so many bytes do not have; also for NaN. */
export function outOfRange(size: number, start: number, end: number): RangeError | undefined {
  if (start >= 0 && start <= end && end <= size) return undefined;
  return new RangeError(`it has ${size} bytes, and those from ${start} to ${end} were looked for`);
}

/** All bytes in order, some at a time. */
export async function* inPieces(
  source: ByteSource,
  bytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let start = 0; start < source.size; start += bytes)
    yield await source.read(start, Math.min(start + bytes, source.size));
}
