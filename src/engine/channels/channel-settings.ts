import { MagnitudeEdgeError } from '../../errors.ts';

/** Whether channel values are kept beside the statistics of magnitudes. */
export interface ChannelOptions {
  /** Most bytes of channel values, 8 P C a sample. Default 2^30. */
  readonly maxBytes?: number | undefined;
}

/** {@link ChannelOptions} with nothing left out. */
export interface ChannelSettings {
  /** Whether a fit that finds no room for them fails, or goes on without */
  readonly required: boolean;
  readonly maxBytes: number;
}

const DEFAULT_MAX_BYTES = 2 ** 30;

/**
 * Checks the option.
 *
 * @returns undefined where nothing is to be kept
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
