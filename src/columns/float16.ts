/** The value of a float16 (IEEE 754 binary16), given its bits. */
export function float16(bits: number): number {
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  const magnitude =
    exponent === 0
      ? fraction * 2 ** -24
      : exponent < 0x1f
        ? (1 + fraction / 1024) * 2 ** (exponent - 15)
        : fraction === 0
          ? Infinity
          : NaN;
  return bits & 0x8000 ? -magnitude : magnitude;
}
