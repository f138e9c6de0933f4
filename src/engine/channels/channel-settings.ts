import { MagnitudeEdgeError } from '../../errors.ts';

/** Limits of the channel values kept alongside the statistics of magnitudes. */
export interface ChannelOptions {
  /** Maximum bytes of channel values, 8 P C per sample. Default 2^30. */
  readonly maxBytes?: number | undefined;
}

/** {@link ChannelOptions} with defaults filled in. */
export interface ChannelSettings {
  /** Whether a fit whose channel values do not fit fails; otherwise it continues without them */
  readonly required: boolean;
  readonly maxBytes: number;
}

const DEFAULT_MAX_BYTES = 2 ** 30;

/**
 * Checks the option.
 *
 * @returns undefined if nothing is to be kept
 * @throws `invalid-argument`
 */
export function channelSettings(
  option: 'auto' | boolean | ChannelOptions = 'auto',
): ChannelSettings | undefined {
  if (option === false) return undefined;
  const { maxBytes = DEFAULT_MAX_BYTES } = typeof option === 'object' ? option : {};
  if (option !== 'auto' && option !== true && typeof option !== 'object') {
    throw new MagnitudeEdgeError(
      'invalid-argument',
      `channels must be 'auto', true, false or { maxBytes } and is ${JSON.stringify(option)}.`,
      { details: { option: 'channels' } },
    );
  }
  if (!(Number.isSafeInteger(maxBytes) && maxBytes >= 1)) {
    throw new MagnitudeEdgeError(
      'invalid-argument',
      `channels.maxBytes must be a whole number of at least 1 and is ${String(maxBytes)}.`,
      { details: { option: 'channels.maxBytes', found: maxBytes } },
    );
  }
  return { required: option !== 'auto', maxBytes };
}
