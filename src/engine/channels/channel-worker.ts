import { absorbRows } from '../../scoring/channel/absorb.ts';
import { regress } from '../../scoring/channel/regression.ts';
import { mixedBlocks } from '../../statistics/mixed-blocks.ts';
import { runToEnd } from '../../statistics/yielder.ts';
import { answerCalls } from '../answer-calls.ts';
import type { ChannelCall } from './channel-protocol.ts';

/** The program of a worker that does parts of regressions, or adds samples to sums, one after the other in the same memory. */
const memory = mixedBlocks();

answerCalls((message) => {
  const call = message as ChannelCall;
  if (call.name === 'open') return memory.description;
  if (call.name === 'absorb') {
    const { sums, rows, channels, width } = call.argument;
    runToEnd(absorbRows(memory, sums, rows, channels, width));
    return undefined;
  }
  const { system, part, orders } = call.argument;
  return runToEnd(regress(memory, system, part, orders));
});
