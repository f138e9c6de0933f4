/** Damage as caused by downloads, disks, editors and attackers. */

/**
 * Numbers in [0, 1) from a seed (mulberry32).
 * @param {number} seed
 * @returns {() => number}
 */
export function randomNumbers(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Sizes and offsets that break arithmetic. */
const extremes = [0, 1, -1, 2 ** 31 - 1, -(2 ** 31), 2 ** 16, 0xff, 1e9];

/** @typedef {(bytes: Uint8Array, random: () => number) => Uint8Array} Damage */

/** @type {readonly Damage[]} */
const kinds = [
  // one bit
  (bytes, random) => {
    const copy = bytes.slice();
    const at = below(copy.length, random);
    copy[at] = (copy[at] ?? 0) ^ (1 << below(8, random));
    return copy;
  },
  // some bytes
  (bytes, random) => {
    const copy = bytes.slice();
    for (let k = 1 + below(8, random); k > 0; k--) copy[below(copy.length, random)] = below(256, random);
    return copy;
  },
  // a number that may be a size or an offset
  (bytes, random) => {
    const copy = bytes.slice();
    const view = new DataView(copy.buffer);
    const wide = random() < 0.3 && copy.length >= 8;
    const value = oneOf(extremes, random);
    const at = below(Math.max(1, copy.length - (wide ? 8 : 4)), random);
    if (wide) view.setBigInt64(at, BigInt(value) * (random() < 0.5 ? 1n : 2n ** 31n), true);
    else if (copy.length >= 4) view.setInt32(at, value, true);
    return copy;
  },
  // the end is missing
  (bytes, random) => bytes.slice(0, below(bytes.length, random)),
  // a piece is missing
  (bytes, random) => {
    const at = below(bytes.length, random);
    return joined(bytes.slice(0, at), bytes.slice(at + 1 + below(64, random)));
  },
  // a piece is repeated
  (bytes, random) => {
    const at = below(bytes.length, random);
    return joined(bytes.slice(0, at + below(256, random)), bytes.slice(at));
  },
  // a piece from elsewhere in the file
  (bytes, random) => {
    const copy = bytes.slice();
    const size = 1 + below(Math.min(64, copy.length), random);
    const [from, to] = [below(copy.length - size + 1, random), below(copy.length - size + 1, random)];
    copy.copyWithin(to, from, from + size);
    return copy;
  },
  // zeros, as in a block that was never written
  (bytes, random) => {
    const at = below(bytes.length, random);
    return bytes.slice().fill(0, at, at + 1 + below(512, random));
  },
  // extra bytes after the end
  (bytes, random) =>
    joined(
      bytes,
      Uint8Array.from({ length: 1 + below(100, random) }, () => below(256, random)),
    ),
];

/**
 * A damaged copy. Half of the time the damage is in the first or the last 300 bytes, where headers and footers are.
 * @type {Damage}
 */
export function damage(bytes, random) {
  const kind = oneOf(kinds, random);
  if (bytes.length < 1000 || random() < 0.5) return kind(bytes, random);
  const atEnd = random() < 0.5;
  const cut = atEnd ? bytes.length - 300 : 300;
  const [head, tail] = [bytes.slice(0, cut), bytes.slice(cut)];
  return atEnd ? joined(head, kind(tail, random)) : joined(kind(head, random), tail);
}

/** @param {number} count @param {() => number} random */
function below(count, random) {
  return Math.floor(random() * count);
}

/**
 * @template T
 * @param {readonly T[]} list
 * @param {() => number} random
 */
function oneOf(list, random) {
  return /** @type {T} */ (list[below(list.length, random)]);
}

/** @param {Uint8Array} a @param {Uint8Array} b */
function joined(a, b) {
  const all = new Uint8Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}
