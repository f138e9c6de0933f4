/** One limit to ask the adapter for, as far as it goes, and what it buys. */
export interface WantedLimit {
  readonly name: 'maxStorageBufferBindingSize' | 'maxBufferSize';
  /** What is asked for at most; the adapter's own limit where that is lower. */
  readonly atMost: number;
  readonly reason: string;
}

const GiB = 2 ** 30;

/** What is asked of an adapter beyond the defaults; everything works, in smaller pieces, without. */
export const wantedLimits: readonly WantedLimit[] = [
  {
    name: 'maxStorageBufferBindingSize',
    atMost: 4 * GiB - 4,
    reason: 'a matrix of sums takes 8 N^2 bytes: the default of 128 MiB ends at N = 4096',
  },
  {
    name: 'maxBufferSize',
    atMost: 4 * GiB,
    reason: 'as for bindings; the default of 256 MiB ends at N = 5792',
  },
];

/** The limits to require of a device: what is wanted, cut down to what the adapter has. */
export function requiredLimits(supported: GPUSupportedLimits): Record<string, number> {
  return Object.fromEntries(
    wantedLimits.map(({ name, atMost }) => [name, Math.min(atMost, supported[name])]),
  );
}
