import { outOfRange, type ByteSource } from './byte-source.ts';

/**
 * A parser that asks for ranges of bytes, `[start, end]`, as it comes to know where they lie: the same parser reads bytes in
 * memory at once ({@link readNow}) and files piece by piece ({@link readFrom}). A range that is not there is thrown into it,
 * as a RangeError.
 */
export type ByteReading<T> = Generator<readonly [start: number, end: number], T, Uint8Array>;

/** @throws as the parser */
export function readNow<T>(reading: ByteReading<T>, bytes: Uint8Array): T {
  let step = reading.next();
  while (!step.done) {
    const wrong = outOfRange(bytes.length, ...step.value);
    step = wrong ? reading.throw(wrong) : reading.next(bytes.subarray(...step.value));
  }
  return step.value;
}

/** @throws as the parser, and as the source */
export async function readFrom<T>(reading: ByteReading<T>, source: ByteSource): Promise<T> {
  let step = reading.next();
  while (!step.done) {
    const wrong = outOfRange(source.size, ...step.value);
    step = wrong ? reading.throw(wrong) : reading.next(await source.read(...step.value));
  }
  return step.value;
}
