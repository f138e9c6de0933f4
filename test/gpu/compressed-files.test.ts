import { expect, test } from 'vitest';
import { decodeTable } from '../../src/index.ts';

/** Decoders that are fetched when a file needs them, in a page. */
test.each(['lz4.arrow', 'zstd.arrow', 'zstd.parquet', 'brotli.parquet', 'gzip.parquet', 'lz4.parquet'])(
  '%s',
  async (file) => {
    const folder = '/test/fixtures/columns';
    const expected = (await (await fetch(`${folder}/expected.json`)).json()) as Record<string, unknown[]>;
    const bytes = new Uint8Array(await (await fetch(`${folder}/${file}`)).arrayBuffer());
    const table = await decodeTable(bytes, file.endsWith('arrow') ? 'arrow' : 'parquet', file);
    for (const name of ['f64', 'decimal_18_6', 'text', 'u32']) {
      expect(
        Array.from(table.getChild(name)!, (value: unknown) => value),
        name,
      ).toEqual(expected[name]);
    }
  },
);
