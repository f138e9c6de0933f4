import { mixedBlocks } from '../../statistics/mixed-blocks.ts';
import { runToEnd } from '../../statistics/yielder.ts';
import { answerCalls } from '../answer-calls.ts';
import { doStep, type ChannelCall } from './channel-steps.ts';

/** Program of a worker that runs steps of regressions, one after the other in the same memory. */
const memory = mixedBlocks();

answerCalls((message) => {
  const call = message as ChannelCall;
  return call.name === 'open' ? memory.description : runToEnd(doStep(memory, call));
});
