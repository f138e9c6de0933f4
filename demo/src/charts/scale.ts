/** Maps a range of numbers onto a range of pixels. */
export interface Scale {
  readonly domain: readonly [number, number];
  (value: number): number;
}

export function linear(domain: readonly [number, number], range: readonly [number, number]): Scale {
  const [low, high] = domain;
  const [start, end] = range;
  const map = (value: number) => start + ((value - low) / (high - low || 1)) * (end - start);
  return Object.assign(map, { domain });
}

/** As {@link linear}, of sign(v) log(1 + |v|): linear near 0, logarithmic further out. */
export function symlog(domain: readonly [number, number], range: readonly [number, number]): Scale {
  const bent = (value: number) => Math.sign(value) * Math.log1p(Math.abs(value));
  const straight = linear([bent(domain[0]), bent(domain[1])], range);
  return Object.assign((value: number) => straight(bent(value)), { domain });
}

/** Round numbers from 0 up for a non-linear scale, at least `room` pixels apart. */
export function sparseTicks(scale: Scale, room: number): number[] {
  const [low, high] = scale.domain;
  const kept: number[] = [];
  for (const value of [0, ...[1, 10, 100, 1000].flatMap((power) => [power, 2 * power, 5 * power])]) {
    const last = kept.at(-1);
    const isFree = last === undefined || Math.abs(scale(value) - scale(last)) >= room;
    if (value >= low && value <= high && isFree) kept.push(value);
  }
  return kept;
}

/** About `count` round numbers that span the domain: steps of 1, 2 or 5 times a power of ten. */
export function ticks(domain: readonly [number, number], count: number): number[] {
  const [low, high] = [Math.min(...domain), Math.max(...domain)];
  const rough = (high - low) / count;
  if (!(rough > 0)) return [low];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough)!;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

/** A tick's text: no more digits than its step needs, a true minus sign, k for thousands. */
export function tickText(value: number, step: number): string {
  if (Math.abs(value) < step / 1e6) return '0';
  if (Math.abs(value) >= 10_000) return `${Number((value / 1000).toPrecision(4))}k`.replace('-', '−');
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return value.toFixed(digits).replace('-', '−');
}
