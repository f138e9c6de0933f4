import type { Yielder } from '../../statistics/yielder.ts';
import { AggregateScores } from './aggregate-scores.ts';
import type { DegreesOfFreedomGroups } from '../../scoring/degrees-of-freedom.ts';
import { HostScoreScanner, pairScoresIn } from '../../ranking/host-score-scanner.ts';
import { HostScores } from './host-scores.ts';
import type { ScoreScanner } from '../../ranking/score-scanner.ts';
import type { Scores } from './scores.ts';
import { GpuScoreScanner } from '../webgpu/scoring/gpu-score-scanner.ts';
import { GpuScores } from '../webgpu/scoring/gpu-scores.ts';

/**
 * Passes over scores where they are.
 *
 * @param signal ends the forming of scores anew, where some must be
 */
export async function scoreScannerOf(
  scores: Scores,
  { classOf }: DegreesOfFreedomGroups,
  yielder: Yielder,
  signal?: AbortSignal,
): Promise<ScoreScanner> {
  if (scores instanceof GpuScores) return new GpuScoreScanner(scores.context, scores, classOf);
  if (scores instanceof AggregateScores) {
    return new HostScoreScanner(scores, classOf, yielder, (elements) =>
      scores.pairScoresAt(elements, signal),
    );
  }
  const matrices = scores instanceof HostScores ? scores.held : await scores.matrices();
  return new HostScoreScanner(matrices, classOf, yielder, pairScoresIn(matrices));
}
