import type { PartNorms } from '../../scoring/channel/regression.ts';
import type { ChannelSystem } from '../../scoring/channel/system.ts';
import type { Part } from '../../scoring/channel/ways.ts';
import type { PairRows } from '../../statistics/channel-record.ts';
import type { PairChannelSums } from '../../statistics/channel-sums.ts';
import type { AnyCall } from '../cpu/worker-protocol.ts';

/** What a worker that does regressions is asked, and what it answers with. */
export interface ChannelCalls {
  /** Answers with what it runs on */
  open: { argument: undefined; result: string };
  /** See `regress` */
  regress: {
    argument: {
      readonly system: ChannelSystem;
      readonly part: Omit<Part, 'system'>;
      readonly orders: readonly (readonly Uint32Array[] | undefined)[];
    };
    result: PartNorms[];
  };
  /** See `absorbRows`: sums are in shared memory, and change there */
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

export type ChannelCall = AnyCall<ChannelCalls>;
