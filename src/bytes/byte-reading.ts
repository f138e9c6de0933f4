import { outOfRange, type ByteSource } from './byte-source.ts';

/**
 * A parser that yields the byte ranges, `[start, end]`, that it needs next. The same parser reads bytes in memory
 * synchronously ({@link readNow}) and files piece by piece ({@link readFrom}). A range outside the source is thrown
 * into it as a RangeError.
 */
export type ByteReading<T> = Generator<readonly [start: number, end: number], T, Uint8Array>;

/** @throws what the parser throws */
export function readNow<T>(reading: ByteReading<T>, bytes: Uint8Array): T {
  let step = reading.next();
  while (!step.done) {
    const wrong = outOfRange(bytes.length, ...step.value);
    step = wrong ? reading.throw(wrong) : reading.next(bytes.subarray(...step.value));
  }
  return step.value;
}

/** @throws what the parser or the source throws */
export async function readFrom<T>(reading: ByteReading<T>, source: ByteSource): Promise<T> {
  let step = reading.next();
  while (!step.done) {
    const wrong = outOfRange(source.size, ...step.value);
    step = wrong ? reading.throw(wrong) : reading.next(await source.read(...step.value));
  }
  return step.value;
}
