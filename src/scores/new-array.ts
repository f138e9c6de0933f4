/** A type of arrays of numbers. */
export interface ArrayType<T> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike): T;
}

/** Makes an array of zeros. @throws RangeError where it finds no room */
export type NewArray = <T>(type: ArrayType<T>, length: number) => T;

/** In memory of the calling thread. */
export const ownArray: NewArray = (type, length) =>
  new type(new ArrayBuffer(length * type.BYTES_PER_ELEMENT));

/**
 * In memory that other threads read and write in place. Undefined where threads have none in common: in pages that are
 * not cross-origin isolated.
 */
export const sharedArray: NewArray | undefined =
  typeof SharedArrayBuffer === 'undefined'
    ? undefined
    : (type, length) => new type(new SharedArrayBuffer(length * type.BYTES_PER_ELEMENT));

/** The type of an array. */
export function typeOf<T extends ArrayBufferView>(array: T): ArrayType<T> {
  return array.constructor as unknown as ArrayType<T>;
}

/** Whether other threads can have it without a copy. */
export function isShared({ buffer }: ArrayBufferView): boolean {
  return !(buffer instanceof ArrayBuffer);
}
