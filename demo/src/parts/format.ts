/** A score or another number near 1: four decimals, a true minus sign, an en dash for NaN. */
export function score(value: number): string {
  return Number.isNaN(value) ? '–' : value.toFixed(4).replace('-', '−');
}

/** A p- or q-value: two significant digits, exponents below one thousandth. */
export function probability(value: number): string {
  if (Number.isNaN(value)) return '–';
  // Smaller values lack full precision, and none is exactly 0.
  if (value < 1e-300) return '< 1e−300';
  if (value >= 0.9995) return '1';
  return value < 1e-3 ? value.toExponential(1).replace('-', '−') : value.toPrecision(2);
}

/** A score with its standard error, if there is one. */
export const estimate = (value: number, error: number | undefined): string =>
  error === undefined || Number.isNaN(error) ? score(value) : `${score(value)} ± ${score(error)}`;

/** A fraction in percent. */
export const percent = (value: number): string => (Number.isNaN(value) ? '–' : `${Math.round(100 * value)}%`);

/** A size in memory, without a line break: `576 bytes`, `1.15 MB`. */
export function bytes(size: number): string {
  if (size < 1000) return `${size}\u00a0bytes`;
  // Rounded to the three digits shown: 999,600 bytes are 1.00 MB.
  const rounded = Number(size.toPrecision(3));
  const power = Math.min(3, Math.floor(Math.log10(rounded) / 3));
  const number = rounded / 1000 ** power;
  return `${number < 1000 ? number.toPrecision(3) : whole(number)}\u00a0${['kB', 'MB', 'GB'][power - 1]!}`;
}

export const whole = (value: number): string => Math.round(value).toLocaleString('en');

/** `1 edge`, `2,000 edges`. */
export const counted = (value: number, thing: string): string =>
  `${whole(value)} ${thing}${value === 1 ? '' : 's'}`;

/** A duration in readable form: `0.42 s`, `12 s`, `3 min 20 s`. */
export function duration(seconds: number): string {
  if (seconds < 1) return `${seconds.toFixed(2)} s`;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}
