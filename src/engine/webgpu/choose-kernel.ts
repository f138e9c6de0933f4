import { MagnitudeEdgeError } from '../../errors.ts';
import type { GpuContext } from '../../gpu/device.ts';
import type { Arithmetic } from '../../gpu/self-test.ts';
import { timeConfigurations } from './statistics/autotune.ts';
import { configurations, type Configuration } from './statistics/configurations.ts';
import type { Precision } from './statistics/statistics-kernels.ts';

/** A way of forming products, and how it came to be taken: sentences for diagnostics. */
export interface ConfigurationChoice {
  readonly configuration: Configuration;
  readonly notes: readonly string[];
}

/** Fewer nodes than this are not worth a trial of some tens of milliseconds. */
const WORTH_TIMING = 512;

/**
 * Chooses how products are formed.
 *
 * @param wanted the name of a configuration, or 'timed'. Default: timed on a GPU, but for few nodes; on a software
 *   adapter, where all but one are known to be slower, that one
 * @throws `invalid-argument` for a name that is none, or of another precision, or that the device cannot run
 */
export async function chooseConfiguration(
  context: GpuContext,
  precision: Precision,
  { integerDot }: Arithmetic,
  nodes: number,
  wanted: string | undefined = context.software || nodes < WORTH_TIMING ? undefined : 'timed',
): Promise<ConfigurationChoice> {
  const candidates = configurations.filter(
    (candidate) => candidate.precision === precision && (integerDot || !candidate.integerDot),
  );
  if (wanted === 'timed') {
    const trials = await timeConfigurations(context, precision, candidates);
    const times = trials.map(
      ({ configuration, milliseconds }) => `${configuration.name}: ${milliseconds.toFixed(2)}`,
    );
    const { configuration } = trials[0]!;
    return { configuration, notes: [`products ${configuration.name} (timed, in ms: ${times.join('; ')})`] };
  }
  const configuration =
    wanted === undefined
      ? candidates[context.software ? 0 : 1]!
      : candidates.find(({ name }) => name === wanted);
  if (configuration !== undefined) return { configuration, notes: [`products ${configuration.name}`] };
  throw new MagnitudeEdgeError(
    'invalid-argument',
    `'${wanted ?? ''}' is no way of forming products in precision '${precision}' on this device: ` +
      `'timed', or one of ${candidates.map(({ name }) => `'${name}'`).join(', ')} was expected.`,
    { details: { option: 'products', found: wanted ?? '' } },
  );
}
