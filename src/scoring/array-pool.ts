import { discard } from '../statistics/discard.ts';

/** A type of arrays of numbers. */
export interface ArrayType<T> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike): T;
}

/** Allocates an uninitialised array. @throws RangeError if memory runs out */
export type NewArray = <T extends ArrayBufferView>(type: ArrayType<T>, length: number) => T;

/** A source of arrays that takes them back for reuse. */
export interface ArrayPool {
  readonly alloc: NewArray;
  /** Takes back arrays of {@link ArrayPool.alloc} that no thread uses any more. */
  readonly free: (arrays: Iterable<ArrayBufferView>) => void;
}

/** In memory of the calling thread, which is garbage-collected. */
export const ownArray: NewArray = (type, length) =>
  new type(new ArrayBuffer(length * type.BYTES_PER_ELEMENT));
export const ownArrays: ArrayPool = { alloc: ownArray, free: () => undefined };

/** Like {@link ownArrays}, for arrays so large that their memory must not wait for a garbage collection. */
export const discardedArrays: ArrayPool = {
  alloc: ownArray,
  free: (arrays) => {
    discard(...arrays);
  },
};

/** Largest number of bytes kept for reuse. */
const MOST_KEPT = 2 ** 29;

/**
 * Memory that threads share in place, pooled for reuse: engines do not count it when they decide whether to collect
 * garbage, and every thread that has held it must collect, so dropped memory may stay for long.
 */
export class SharedArrays implements ArrayPool {
  readonly #freeBuffers = new Map<number, ArrayBufferLike[]>();
  #bytes = 0;
  #ended = false;

  readonly alloc: NewArray = (type, length) => {
    const bytes = length * type.BYTES_PER_ELEMENT;
    const buffer = this.#freeBuffers.get(bytes)?.pop();
    if (buffer !== undefined) this.#bytes -= bytes;
    return new type(buffer ?? new SharedArrayBuffer(bytes));
  };

  readonly free = (arrays: Iterable<ArrayBufferView>): void => {
    for (const array of arrays) {
      const { buffer } = array;
      const bytes = buffer.byteLength;
      if (this.#ended || !isShared(array) || this.#bytes + bytes > MOST_KEPT) continue;
      this.#bytes += bytes;
      const sameSize = this.#freeBuffers.get(bytes);
      if (sameSize === undefined) this.#freeBuffers.set(bytes, [buffer]);
      else sameSize.push(buffer);
    }
  };

  /** Drops all memory, and keeps nothing from now on. */
  end(): void {
    this.#ended = true;
    this.#freeBuffers.clear();
  }
}

/** Whether threads can share memory: not in pages that are not cross-origin isolated. */
export function canShare(): boolean {
  return typeof SharedArrayBuffer !== 'undefined';
}

/** The type of an array. */
export function typeOf<T extends ArrayBufferView>(array: T): ArrayType<T> {
  return array.constructor as unknown as ArrayType<T>;
}

/** Whether other threads can use it without a copy. */
export function isShared({ buffer }: ArrayBufferView): boolean {
  return !(buffer instanceof ArrayBuffer);
}
