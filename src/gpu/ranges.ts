/** Ranges of at most `most` out of `count`, and of at least one. */
export function* ranges(count: number, most: number): Generator<readonly [first: number, end: number]> {
  const step = Math.max(1, Math.floor(most));
  for (let first = 0; first < count; first += step) yield [first, Math.min(first + step, count)];
}
