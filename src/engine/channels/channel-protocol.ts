import type { PartNorms } from '../../scores/channel/regression.ts';
import type { ChannelSystem } from '../../scores/channel/system.ts';
import type { Part } from '../../scores/channel/ways.ts';
import type { AnyCall } from '../cpu-protocol.ts';

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
}

export type ChannelCall = AnyCall<ChannelCalls>;
