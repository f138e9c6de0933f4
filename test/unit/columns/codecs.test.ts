import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { loadCodecs } from '../../../src/columns/codecs.ts';
import { bigEndianInteger, decimalReader } from '../../../src/columns/decimal.ts';
import { float16 } from '../../../src/columns/float16.ts';
import { readHybrid } from '../../../src/columns/parquet-encodings.ts';

const codecs = await loadCodecs(['LZ4', 'LZ4_RAW', 'LZ4_FRAME', 'ZSTD', 'SNAPPY', 'GZIP', 'BROTLI']);
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
/** A block of literals, and one that ends in a match of eight bytes, three back. */
const hello = Uint8Array.of(0x50, ...new TextEncoder().encode('hello'));
const repeated = Uint8Array.of(0x34, ...new TextEncoder().encode('abc'), 3, 0, 0x10, 0x2e);

describe('LZ4', () => {
  test('bare blocks: literals, and matches that overlap what they write', () => {
    const raw = codecs.get('LZ4_RAW')!;
    expect(text(raw(hello, 5))).toBe('hello');
    expect(text(raw(repeated, 12))).toBe('abcabcabcab.');
  });

  test('blocks after their sizes, as Hadoop wrote them, and bare ones under the same name', () => {
    const sized = (unpacked: number, block: Uint8Array): number[] => [
      0,
      0,
      0,
      unpacked,
      0,
      0,
      0,
      block.length,
      ...block,
    ];
    const lz4 = codecs.get('LZ4')!;
    expect(text(lz4(Uint8Array.from([...sized(5, hello), ...sized(12, repeated)]), 17))).toBe(
      'helloabcabcabcab.',
    );
    expect(text(lz4(repeated, 12))).toBe('abcabcabcab.');
  });

  test.each([
    ['a match before the beginning', Uint8Array.of(0x14, 97, 2, 0, 0), 6],
    ['more than was said', repeated, 11],
    ['less than was said', repeated, 13],
    ['cut short', repeated.subarray(0, 3), 12],
  ])('refused: %s', (_, block, length) => {
    expect(() => codecs.get('LZ4_RAW')!(block, length)).toThrow(/LZ4 block/);
  });
});

test('Snappy: a literal of 2^31 bytes is no way back', () => {
  const snappy = codecs.get('SNAPPY')!;
  expect(text(snappy(Uint8Array.of(5, 0x10, ...new TextEncoder().encode('hello')), 5))).toBe('hello');
  const backwards = Uint8Array.of(5, 0x10, 1, 2, 3, 4, 5, 0xfc, 0xf0, 0xff, 0xff, 0xff, 0, 0, 0, 0);
  expect(() => snappy(backwards, 5)).toThrow(/more than the file says/);
  expect(() => snappy(backwards, 2 ** 20)).toThrow(/more than the file says/);
});

test('Zstandard frames that do not say their size', async () => {
  const stream = await readFile(new URL('../../fixtures/columns/stream.zst', import.meta.url));
  const unpacked = codecs.get('ZSTD')!(stream, 200_000);
  const numbers = new Int32Array(unpacked.buffer, unpacked.byteOffset, 50_000);
  expect(Array.from(numbers)).toEqual(Array.from({ length: 50_000 }, (_, k) => k % 1000));
  expect(() => codecs.get('ZSTD')!(stream, 199_999)).toThrow(/more than the file says/);
  expect(() => codecs.get('ZSTD')!(stream, 200_001)).toThrow(/holds 200000 bytes/);
});

test('every float16, by another way of computing it', () => {
  const float32 = new Float32Array(1);
  const bits = new Uint32Array(float32.buffer);
  for (let half = 0; half < 0x10000; half++) {
    const [sign, rest] = [half >> 15, half & 0x7fff];
    // Shifted into a float32 whose exponent is 112 too small; infinities and NaN have an exponent of their own.
    bits[0] = rest >= 0x7c00 ? 0x7f800000 | ((rest & 0x3ff) << 13) : rest << 13;
    const magnitude = rest >= 0x7c00 ? float32[0]! : float32[0]! * 2 ** 112;
    expect(Object.is(float16(half), sign ? -magnitude : magnitude), half.toString(16)).toBe(true);
  }
});

test('decimals are rounded once', () => {
  expect(decimalReader(2)(12345n)).toBe(123.45);
  expect(decimalReader(-3)(7)).toBe(7000);
  expect(decimalReader(30)(123456789012345678901234567890n)).toBe(0.12345678901234568);
  expect(decimalReader(6)(-(2n ** 53n + 1n))).toBe(-9007199254.740993);
  expect(bigEndianInteger(Uint8Array.of(0xff, 0xfe))).toBe(-2n);
  expect(bigEndianInteger(Uint8Array.of(0x01, 0, 0, 0, 0, 0, 0, 0, 0))).toBe(2n ** 64n);
});

describe('run-length and bit-packed values', () => {
  const filled = (bytes: number[], width: number, count: number): number[] => {
    const into = new Int32Array(count);
    readHybrid(Uint8Array.from(bytes), 0, width, into);
    return Array.from(into);
  };

  test('runs are cut at the values that are wanted, groups of eight as well', () => {
    // A run of 2^28 times 5 in a byte each, which is three values here.
    expect(filled([0x80, 0x80, 0x80, 0x80, 0x02, 5], 3, 3)).toEqual([5, 5, 5]);
    // The numbers 0 to 7 in three bits each (Encodings.md of Parquet).
    expect(filled([0b11, 0b10001000, 0b11000110, 0b11111010], 3, 8)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(filled([0b11, 0b10001000, 0b11000110, 0b11111010, 0b100, 2], 3, 10)).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7, 2, 2,
    ]);
    expect(filled([0b11, 0x12, 0x34, 0x56, 0x78, ...new Array<number>(28).fill(0)], 32, 2)).toEqual([
      0x78563412, 0,
    ]);
    expect(filled([0b1000], 0, 4)).toEqual([0, 0, 0, 0]);
  });

  test('values of each width that a dictionary can have, by the bits of one long integer', () => {
    for (let width = 1; width <= 32; width++) {
      const values = Array.from({ length: 16 }, (_, k) => BigInt.asUintN(width, BigInt(k + 1) * 0x9e3779b1n));
      const packed = values.reduce((all, value, k) => all | (value << BigInt(k * width)), 0n);
      const bytes = Array.from({ length: 2 * width }, (_, k) => Number((packed >> BigInt(8 * k)) & 0xffn));
      expect(filled([0b101, ...bytes], width, 16)).toEqual(values.map((value) => Number(value) | 0));
    }
  });

  test.each([
    ['no bytes', [], 1],
    ['a group cut short', [0b11, 0], 3],
    ['a run without its value', [0b1000], 3],
    ['indices that are too wide', [0b1000, 1], 33],
    ['a length that does not end', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1], 1],
  ])('refused: %s', (_, bytes, width) => {
    expect(() => filled(bytes, width, 4)).toThrow(RangeError);
  });
});
