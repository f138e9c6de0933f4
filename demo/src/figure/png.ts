import type { Figure } from './compose.ts';

/** Longest side of a canvas, in pixels, that every browser supports. */
const longestSide = 16_384;

/** Size of a figure in pixels. */
export const pixelsOf = ({ widthMm, heightMm }: Figure, dpi: number): [width: number, height: number] => [
  Math.round((widthMm / 25.4) * dpi),
  Math.round((heightMm / 25.4) * dpi),
];

/**
 * A figure as PNG that records its size on paper (pHYs) and its provenance (iTXt).
 *
 * @throws Error if it has more pixels than browsers draw
 */
export async function pngOf(figure: Figure, dpi: number, about: string): Promise<Blob> {
  const [width, height] = pixelsOf(figure, dpi);
  if (Math.max(width, height) > longestSide)
    throw new Error(
      `A PNG of ${width.toLocaleString('en')} by ${height.toLocaleString('en')} pixels is larger than browsers draw: choose fewer dpi or a smaller figure.`,
    );
  const address = URL.createObjectURL(new Blob([figure.svg], { type: 'image/svg+xml' }));
  try {
    const image = new Image();
    image.src = address;
    await image.decode();
    const canvas = new OffscreenCanvas(width, height);
    canvas.getContext('2d')!.drawImage(image, 0, 0, width, height);
    const blob = await canvas.convertToBlob({ type: 'image/png' });
    const bytes = new Uint8Array(await blob.arrayBuffer());
    return new Blob([withChunks(bytes, [physicalSize(dpi), description(about)])], { type: 'image/png' });
  } finally {
    URL.revokeObjectURL(address);
  }
}

interface Chunk {
  readonly type: string;
  readonly data: Uint8Array;
}

/** Pixels per metre along both axes; the last byte says that the unit is the metre. */
function physicalSize(dpi: number): Chunk {
  const data = new Uint8Array(9);
  const view = new DataView(data.buffer);
  for (const at of [0, 4]) view.setUint32(at, Math.round(dpi / 0.0254));
  data[8] = 1;
  return { type: 'pHYs', data };
}

/** Uncompressed UTF-8 text without a language. */
const description = (text: string): Chunk => ({
  type: 'iTXt',
  data: new TextEncoder().encode(`Description\0\0\0\0\0${text}`),
});

/** Length of the signature and header of every PNG: our own chunks may follow. */
const headerEnd = 33;

/** Inserts chunks between the header and the pixels. */
export function withChunks(png: Uint8Array, chunks: readonly Chunk[]): Uint8Array<ArrayBuffer> {
  const written = chunks.map(({ type, data }) => {
    const chunk = new Uint8Array(data.length + 12);
    const view = new DataView(chunk.buffer);
    view.setUint32(0, data.length);
    chunk.set(new TextEncoder().encode(type), 4);
    chunk.set(data, 8);
    view.setUint32(data.length + 8, crc32(chunk.subarray(4, data.length + 8)));
    return chunk;
  });
  const parts = [png.subarray(0, headerEnd), ...written, png.subarray(headerEnd)];
  const joined = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** The checksum of PNG chunks (ISO 3309), bit by bit: chunks are short. */
function crc32(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
