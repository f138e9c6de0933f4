import { absorbRows } from '../../scoring/channel/absorb.ts';
import type { UpperColumns } from '../../scoring/channel/gram.ts';
import type { Range } from '../../scoring/channel/products.ts';
import { partNorms, type PartNorms } from '../../scoring/channel/regression.ts';
import { factorRidge, type Ridge, type RidgeFactor } from '../../scoring/channel/ridge-factor.ts';
import type { RowOrder } from '../../scoring/channel/rows.ts';
import { systemGram } from '../../scoring/channel/system-gram.ts';
import type { ChannelSystem } from '../../scoring/channel/system.ts';
import type { Part, RidgeForm } from '../../scoring/channel/ridge-form.ts';
import {
  regressPair,
  type PairRegression,
  type RidgeSettings,
} from '../../scoring/regression/regress-pair.ts';
import type { PairRows } from '../../statistics/channel-record.ts';
import type { PairChannelSums } from '../../statistics/channel-sums.ts';
import type { MixedBlocks } from '../../statistics/mixed-blocks.ts';
import type { PairStatistics } from '../../statistics/sufficient-statistics.ts';
import type { AnyCall } from '../cpu/worker-protocol.ts';

/** The regression of the magnitudes of a layer pair. */
export interface MagnitudeRegression {
  readonly pair: PairStatistics;
  readonly samples: number;
  /** Samples that count for the standard errors */
  readonly size: number;
  readonly settings: RidgeSettings;
}

/** Steps of regressions; each runs on one thread, a worker or the calling one. */
export interface ChannelSteps {
  /** See {@link systemGram} */
  gram: {
    argument: { readonly system: ChannelSystem; readonly form: RidgeForm; readonly columns: Range };
    result: UpperColumns;
  };
  /** See {@link factorRidge}; returns `out` */
  factor: {
    argument: { readonly pieces: readonly UpperColumns[]; readonly ridge: Ridge; readonly out: RidgeFactor };
    result: RidgeFactor;
  };
  /** See {@link partNorms} */
  norms: {
    argument: {
      readonly system: ChannelSystem;
      readonly part: Part;
      readonly factor: RidgeFactor;
      readonly orders: readonly RowOrder[];
    };
    result: PartNorms[];
  };
  /** See {@link regressPair} */
  magnitudes: { argument: MagnitudeRegression; result: PairRegression };
  /** See {@link absorbRows}: sums are in shared memory or the caller's own, and are changed in place */
  absorb: {
    argument: {
      readonly sums: PairChannelSums;
      readonly rows: PairRows;
      readonly channels: Uint32Array;
      readonly width: number;
    };
    result: undefined;
  };
}

export type ChannelStep = keyof ChannelSteps;

/** Calls to a worker: a step, or `open`, which returns a description of what it runs on. */
export interface ChannelCalls extends ChannelSteps {
  open: { argument: undefined; result: string };
}
export type ChannelCall = AnyCall<ChannelCalls>;

/** Runs a step, yielding every few milliseconds of work. @throws RangeError, `out-of-memory` */
export function* doStep<Name extends ChannelStep>(
  memory: MixedBlocks,
  { name, argument }: { readonly name: Name; readonly argument: ChannelSteps[Name]['argument'] },
): Generator<undefined, ChannelSteps[Name]['result'], undefined> {
  return yield* steps[name](memory, argument);
}

const steps: {
  readonly [Name in ChannelStep]: (
    memory: MixedBlocks,
    argument: ChannelSteps[Name]['argument'],
  ) => Generator<undefined, ChannelSteps[Name]['result'], undefined>;
} = {
  gram: (memory, { system, form, columns }) => systemGram(memory, system, form, columns),
  *factor(memory, { pieces, ridge, out }) {
    yield* factorRidge(memory, pieces, ridge, out);
    return out;
  },
  norms: (memory, { system, part, factor, orders }) => partNorms(memory, system, part, factor, orders),
  magnitudes: (memory, { pair, samples, size, settings }) =>
    regressPair(memory, pair, { samples, size }, settings),
  *absorb(memory, { sums, rows, channels, width }) {
    yield* absorbRows(memory, sums, rows, channels, width);
    return undefined;
  },
};
