/** Every whole number up to here, and every power of ten up to 10^22, is a float64: their quotient is rounded once. */
const exactPower = 22;

/** Converts the unscaled values of decimals to the float64 nearest to value * 10^-scale. */
export function decimalReader(scale: number): (unscaled: number | bigint) => number {
  const power = 10 ** Math.abs(scale);
  const quick = Math.abs(scale) <= exactPower;
  return (unscaled) => {
    const value = Number(unscaled);
    if (quick && Number.isSafeInteger(value)) return scale >= 0 ? value / power : value * power;
    // As text it is rounded once however large it is.
    return Number(`${unscaled}e${-scale}`);
  };
}

/** A two's complement integer. */
export function bigEndianInteger(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return BigInt.asIntN(bytes.length * 8, value);
}
