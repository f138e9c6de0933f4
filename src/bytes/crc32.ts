import { nodeProcess } from '../node-process.ts';

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** CRC-32 (IEEE 802.3) of `bytes`, continued from the CRC-32 `before`. Uses zlib in Node. */
export function crc32(bytes: Uint8Array, before = 0): number {
  const node = nodeProcess();
  if (node !== undefined) return node.getBuiltinModule('node:zlib').crc32(bytes, before);
  let crc = ~before;
  for (const byte of bytes) crc = table[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}
