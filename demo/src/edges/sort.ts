/**
 * A stable sort of `keys`, as a permutation of row numbers. NaN comes last in both directions, so that rows without a
 * score never hide the others. Least-significant-digit radix sort on the ordered bits of the doubles: a million rows in
 * tens of milliseconds.
 */
export function sortPermutation(keys: ArrayLike<number>, descending: boolean): Uint32Array {
  const rows = keys.length;
  const high = new Uint32Array(rows);
  const low = new Uint32Array(rows);
  const bits = new DataView(new ArrayBuffer(8));
  let order = new Uint32Array(rows);
  let ranked = 0;
  let unranked = rows;
  for (let row = 0; row < rows; row++) {
    const key = keys[row]!;
    if (Number.isNaN(key)) {
      order[--unranked] = row;
      continue;
    }
    // Adding 0 turns -0 into 0: equal keys must have equal bits.
    bits.setFloat64(0, key + 0);
    // The bits of doubles ascend with the numbers once negative ones are inverted; their complement descends.
    const negative = bits.getInt32(0) < 0;
    const mask = negative !== descending ? 0xffffffff : 0;
    high[row] = bits.getUint32(0) ^ (negative ? mask : mask ^ 0x80000000);
    low[row] = bits.getUint32(4) ^ mask;
    order[ranked++] = row;
  }
  order.subarray(unranked).reverse();
  let spare = new Uint32Array(rows);
  for (const [digits, shift] of [
    [low, 0],
    [low, 16],
    [high, 0],
    [high, 16],
  ] as const) {
    if (pass(order, spare, ranked, digits, shift)) {
      spare.set(order.subarray(ranked), ranked);
      [order, spare] = [spare, order];
    }
  }
  return order;
}

/** One counting pass over 16 bits. Returns false if all digits are equal and nothing had to move. */
function pass(
  from: Uint32Array,
  to: Uint32Array,
  count: number,
  digits: Uint32Array,
  shift: number,
): boolean {
  const starts = new Uint32Array(65537);
  for (let i = 0; i < count; i++) starts[((digits[from[i]!]! >>> shift) & 0xffff) + 1]! += 1;
  for (let digit = 0; digit < 65536; digit++) {
    if (starts[digit + 1] === count) return false;
    starts[digit + 1]! += starts[digit]!;
  }
  for (let i = 0; i < count; i++) {
    const row = from[i]!;
    const digit = (digits[row]! >>> shift) & 0xffff;
    to[starts[digit]!++] = row;
  }
  return true;
}
