import type { ByteSource } from '../../src/bytes/byte-source.ts';

/** Bytes in memory as if they lay elsewhere: copies of what is asked for, and a record of it. */
export class CountedSource implements ByteSource {
  readonly size: number;
  /** The ranges that were read, in order */
  readonly reads: (readonly [start: number, end: number])[] = [];
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.size = bytes.length;
    this.#bytes = bytes;
  }

  /** Bytes that were read, counted as often as they were */
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
