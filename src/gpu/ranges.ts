/** Splits `0 .. count` into ranges of at most `most` (but at least one) elements. */
export function* ranges(count: number, most: number): Generator<readonly [first: number, end: number]> {
  const step = Math.max(1, Math.floor(most));
  for (let first = 0; first < count; first += step) yield [first, Math.min(first + step, count)];
}
