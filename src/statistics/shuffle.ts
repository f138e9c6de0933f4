/** Outputs of a generator that are discarded first, so that neighbouring seeds have nothing in common. */
const WARM_UP = 20;

/**
 * Uniform 32-bit integers from a seed and a stream: xoshiro128++ (Blackman and Vigna, "Scrambled linear pseudorandom
 * number generators", 2021). The same on every machine; no two pairs of seed and stream share a state.
 *
 * @param seed and stream: unsigned 32-bit integers
 */
export function randomBits(seed: number, stream: number): () => number {
  let a = scrambled(seed);
  let b = scrambled(seed + 1);
  let c = scrambled(~stream);
  let d = scrambled(~stream + 1);
  const next = (): number => {
    const result = (rotated((a + d) | 0, 7) + a) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotated(d, 11);
    return result;
  };
  for (let k = 0; k < WARM_UP; k++) next();
  return next;
}

/**
 * A shuffle of `0 .. n - 1` that leaves every index within its run: Fisher and Yates, run by run.
 *
 * @param starts where each run begins, ascending from 0, and n at the end
 * @param bits uniform 32-bit integers, as from {@link randomBits}
 */
export function shuffledWithin(starts: readonly number[], bits: () => number): Uint32Array {
  const order = Uint32Array.from({ length: starts.at(-1) ?? 0 }, (_, k) => k);
  for (let run = 0; run + 1 < starts.length; run++) {
    const first = starts[run]!;
    for (let last = starts[run + 1]! - 1; last > first; last--) {
      const other = first + randomBelow(last - first + 1, bits);
      const moved = order[last]!;
      order[last] = order[other]!;
      order[other] = moved;
    }
  }
  return order;
}

/** A uniform integer below `count`, by rejection of draws that would bias it. */
function randomBelow(count: number, bits: () => number): number {
  const fair = 2 ** 32 - (2 ** 32 % count);
  let drawn = bits();
  while (drawn >= fair) drawn = bits();
  return drawn % count;
}

function rotated(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}

/** A bijection of 32-bit words that spreads every input bit over the whole output (the last step of MurmurHash3). */
function scrambled(word: number): number {
  let mixed = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
