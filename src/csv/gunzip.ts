import { Gunzip } from 'fflate';
import { crc32 } from '../bytes/crc32.ts';

/** Compressed bytes per step. */
const PIECE_BYTES = 1 << 16;
/** CRC-32 and length at the end of each member (RFC 1952) */
const TRAILER_BYTES = 8;

export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** Decompresses gzip of one or more members (as bgzip writes), piece by piece, holding no more than a piece needs. */
export class GzipReader {
  #pieces: Uint8Array[] = [];
  #crc = 0;
  /** The latest bytes pushed and those before them, which may hold the end of a member */
  #window = new Uint8Array();
  /** Number of bytes before the window */
  #before = 0;
  readonly #gunzip = new Gunzip((piece) => {
    this.#crc = crc32(piece, this.#crc);
    if (piece.length > 0) this.#pieces.push(piece);
  });

  constructor() {
    this.#gunzip.onmember = (end) => {
      this.#endMember(end - this.#before);
    };
  }

  /**
   * Decompresses further bytes.
   * @throws Error for damaged bytes; verifies the checksum of each member, which fflate does not
   */
  *push(packed: Uint8Array): Generator<Uint8Array, void, undefined> {
    for (let start = 0; start < packed.length; start += PIECE_BYTES) {
      const piece = packed.subarray(start, start + PIECE_BYTES);
      const kept = this.#window.subarray(-PIECE_BYTES);
      const window = new Uint8Array(kept.length + piece.length);
      window.set(kept);
      window.set(piece, kept.length);
      this.#before += this.#window.length - kept.length;
      this.#window = window;
      this.#gunzip.push(piece);
      yield* this.#pieces;
      this.#pieces = [];
    }
  }

  /** Ends the stream. @throws Error if the stream is incomplete */
  end(): void {
    this.#gunzip.push(new Uint8Array(), true);
    this.#endMember(this.#window.length);
  }

  /** @param end end of a member in the window */
  #endMember(end: number): void {
    const { buffer, byteOffset } = this.#window;
    const trailer = end - TRAILER_BYTES;
    if (trailer < 0 || new DataView(buffer, byteOffset).getUint32(trailer, true) !== this.#crc)
      throw new Error('its checksum does not match');
    this.#crc = 0;
  }
}
