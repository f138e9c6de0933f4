import { Gunzip } from 'fflate';

/** Compressed bytes that are unpacked at a time. */
const PIECE_BYTES = 1 << 16;
/** CRC-32 and length at the end of each member (RFC 1952) */
const TRAILER_BYTES = 8;

export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * Unpacks gzip, of several members too (as bgzip writes them), piece by piece: no more is held than a piece takes.
 * @throws Error for damaged bytes; the checksum of each member is compared, which fflate leaves to others
 */
export function* gunzipPieces(bytes: Uint8Array): Generator<Uint8Array, void, undefined> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let pieces: Uint8Array[] = [];
  let crc = 0;
  const endMember = (end: number): void => {
    if (end < TRAILER_BYTES || view.getUint32(end - TRAILER_BYTES, true) !== crc)
      throw new Error('its checksum does not match');
    crc = 0;
  };
  const gunzip = new Gunzip((piece) => {
    crc = crc32(piece, crc);
    pieces.push(piece);
  });
  gunzip.onmember = endMember;
  for (let start = 0; start < bytes.length; start += PIECE_BYTES) {
    const end = Math.min(start + PIECE_BYTES, bytes.length);
    gunzip.push(bytes.subarray(start, end), end === bytes.length);
    yield* pieces;
    pieces = [];
  }
  endMember(bytes.length);
}

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** CRC-32 (IEEE 802.3) of bytes that follow others whose CRC-32 is `before`. */
export function crc32(bytes: Uint8Array, before = 0): number {
  let crc = ~before;
  for (const byte of bytes) crc = crcTable[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}
