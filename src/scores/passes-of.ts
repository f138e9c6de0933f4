import type { Pacer } from '../statistics/pacer.ts';
import { AggregateScores } from './aggregate-scores.ts';
import type { FreedomClasses } from './freedom.ts';
import { HostPasses, pairScoresIn } from './host-passes.ts';
import { HostScores } from './host-scores.ts';
import type { ScorePasses } from './score-passes.ts';
import type { Scores } from './scores.ts';
import { GpuPasses } from './webgpu/passes.ts';
import { GpuScores } from './webgpu/scores.ts';

/**
 * Passes over scores where they are.
 *
 * @param signal ends the forming of scores anew, where some must be
 */
export async function passesOf(
  scores: Scores,
  { classOf }: FreedomClasses,
  pace: Pacer,
  signal?: AbortSignal,
): Promise<ScorePasses> {
  if (scores instanceof GpuScores) return new GpuPasses(scores.context, scores, classOf);
  if (scores instanceof AggregateScores) {
    return new HostPasses(scores, classOf, pace, (elements) => scores.pairScoresAt(elements, signal));
  }
  const matrices = scores instanceof HostScores ? scores.held : await scores.matrices();
  return new HostPasses(matrices, classOf, pace, pairScoresIn(matrices));
}
