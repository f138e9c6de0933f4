/** Safe integers and powers of ten up to 10^22 are exact in float64: their product or quotient is rounded once. */
const MOST_EXACT_POWER = 22;

/** Returns a converter from unscaled decimals to the float64 nearest to `unscaled * 10^-scale`. */
export function decimalReader(scale: number): (unscaled: number | bigint) => number {
  const power = 10 ** Math.abs(scale);
  const quick = Math.abs(scale) <= MOST_EXACT_POWER;
  return (unscaled) => {
    const value = Number(unscaled);
    if (quick && Number.isSafeInteger(value)) return scale >= 0 ? value / power : value * power;
    // Parsing text rounds once, however large the number.
    return Number(`${unscaled}e${-scale}`);
  };
}

/** Reads a big-endian two's complement integer. */
export function bigEndianInteger(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return BigInt.asIntN(bytes.length * 8, value);
}
