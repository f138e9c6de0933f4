import { Gunzip } from 'fflate';
import { crc32 } from '../bytes/crc32.ts';

/** Compressed bytes that are unpacked at a time. */
const PIECE_BYTES = 1 << 16;
/** CRC-32 and length at the end of each member (RFC 1952) */
const TRAILER_BYTES = 8;

export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** Unpacks gzip, of several members too (as bgzip writes them), piece by piece: no more is held than a piece takes. */
export class GzipReader {
  #pieces: Uint8Array[] = [];
  #crc = 0;
  /** The bytes that were pushed last, with those before them, which may hold the end of a member */
  #window = new Uint8Array();
  /** Bytes before the window */
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
   * What some bytes more unpack to.
   * @throws Error for damaged bytes; the checksum of each member is compared, which fflate leaves to others
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

  /** The end of the bytes. @throws Error where it is none */
  end(): void {
    this.#gunzip.push(new Uint8Array(), true);
    this.#endMember(this.#window.length);
  }

  /** @param end of a member, in the window */
  #endMember(end: number): void {
    const { buffer, byteOffset } = this.#window;
    const trailer = end - TRAILER_BYTES;
    if (trailer < 0 || new DataView(buffer, byteOffset).getUint32(trailer, true) !== this.#crc)
      throw new Error('its checksum does not match');
    this.#crc = 0;
  }
}
