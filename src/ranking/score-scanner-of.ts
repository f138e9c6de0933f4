import type { Pacer } from '../statistics/yielder.ts';
import { AggregateScores } from '../scoring/aggregate-scores.ts';
import type { FreedomClasses } from '../scoring/degrees-of-freedom.ts';
import { HostPasses, pairScoresIn } from './host-score-scanner.ts';
import { HostScores } from '../scoring/host-scores.ts';
import type { ScorePasses } from './score-scanner.ts';
import type { Scores } from '../scoring/scores.ts';
import { GpuPasses } from '../engine/webgpu/scoring/gpu-score-scanner.ts';
import { GpuScores } from '../engine/webgpu/scoring/gpu-scores.ts';

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
