/** A limit to request, as far as the adapter supports it, and the reason for it. */
export interface WantedLimit {
  readonly name: 'maxStorageBufferBindingSize' | 'maxBufferSize';
  /** Most that is requested; the adapter's own limit if that is lower. */
  readonly atMost: number;
  readonly reason: string;
}

const GiB = 2 ** 30;

/** Limits requested beyond the defaults; everything works without them, in smaller pieces. */
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

/** The limits to require of a device: the wanted ones, capped by what the adapter supports. */
export function requiredLimits(supported: GPUSupportedLimits): Record<string, number> {
  return Object.fromEntries(
    wantedLimits.map(({ name, atMost }) => [name, Math.min(atMost, supported[name])]),
  );
}
