import { regress } from '../../scores/channel/regression.ts';
import { mixedBlocks } from '../../statistics/mixed-blocks.ts';
import { atOnce } from '../../statistics/pacer.ts';
import { answerCalls } from '../answer-calls.ts';
import type { ChannelCall } from './channel-protocol.ts';

/** The program of a worker that does parts of regressions, one after the other in the same memory. */
const memory = mixedBlocks();

answerCalls((message) => {
  const call = message as ChannelCall;
  if (call.name === 'open') return memory.description;
  const { system, part, orders } = call.argument;
  return atOnce(regress(memory, system, part, orders));
});
