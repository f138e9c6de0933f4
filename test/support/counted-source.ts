import type { ByteSource } from '../../src/bytes/byte-source.ts';

/** Bytes in memory as if stored elsewhere: returns copies of the requested ranges, and records them. */
export class CountedSource implements ByteSource {
  readonly size: number;
  /** The ranges read, in order */
  readonly reads: (readonly [start: number, end: number])[] = [];
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.size = bytes.length;
    this.#bytes = bytes;
  }

  /** Bytes read, repeated reads included */
  get total(): number {
    return this.reads.reduce((sum, [start, end]) => sum + end - start, 0);
  }

  /** Bytes of the largest read */
  get largest(): number {
    return this.reads.reduce((most, [start, end]) => Math.max(most, end - start), 0);
  }

  read(start: number, end: number): Promise<Uint8Array> {
    this.reads.push([start, end]);
    return Promise.resolve(this.#bytes.slice(start, end));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
