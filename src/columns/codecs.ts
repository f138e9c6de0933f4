import { lz4Frame, lz4Hadoop, lz4Raw } from './lz4.ts';
import { snappy } from './snappy.ts';

/**
 * Decompresses bytes to a known length.
 * @throws Error for damaged input
 */
export type Decompress = (input: Uint8Array, length: number) => Uint8Array;

/** Compression codecs of Arrow and Parquet files, by Parquet's names. */
export type CodecName = 'SNAPPY' | 'GZIP' | 'BROTLI' | 'ZSTD' | 'LZ4' | 'LZ4_RAW' | 'LZ4_FRAME';

export type Codecs = ReadonlyMap<CodecName, Decompress>;

/** Decoders that only some files need are loaded on demand. */
const loaders: Readonly<Record<CodecName, () => Decompress | Promise<Decompress>>> = {
  SNAPPY: () => snappy,
  GZIP: async () => {
    const { gunzipSync } = await import('fflate');
    return (input, length) => gunzipSync(input, { out: new Uint8Array(length) });
  },
  BROTLI: async () => (await import('hyparquet-compressors')).decompressBrotli,
  ZSTD: async () => (await import('./zstd.ts')).zstd,
  LZ4: () => lz4Hadoop,
  LZ4_RAW: () => lz4Raw,
  LZ4_FRAME: () => lz4Frame,
};

export function isCodec(name: string): name is CodecName {
  return Object.hasOwn(loaders, name);
}

/** Loads the decoders of the named codecs. */
export async function loadCodecs(names: Iterable<CodecName>): Promise<Codecs> {
  const loaded = await Promise.all(
    [...new Set(names)].map(async (name) => [name, await loaders[name]()] as const),
  );
  return new Map(loaded);
}
