import type { Pacer } from '../statistics/pacer.ts';
import type { FreedomClasses } from './freedom.ts';
import { HostPasses } from './host-passes.ts';
import type { ScorePasses } from './score-passes.ts';
import type { Scores } from './scores.ts';
import { GpuPasses } from './webgpu-passes.ts';
import { GpuScores } from './webgpu-result.ts';

/** Passes over scores where they are. */
export async function passesOf(scores: Scores, freedom: FreedomClasses, pace: Pacer): Promise<ScorePasses> {
  if (scores instanceof GpuScores) return new GpuPasses(scores.context, scores, freedom.classOf);
  return new HostPasses(await scores.matrices(), freedom.classOf, pace);
}
