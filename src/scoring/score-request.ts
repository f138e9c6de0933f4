import { checkOneOf } from '../check-one-of.ts';
import { MagnitudeEdgeError } from '../errors.ts';
import type { ScoreRequest } from './score-matrices.ts';

/** Fewest samples that can be scored (method.md, "What must be refused"). */
export const MIN_SAMPLES = 3;

/**
 * Checks a request before any work is done; shared by both engines.
 *
 * @throws `too-few-samples`, or `invalid-argument` for an unknown score or aggregation, a negative ridge or variance
 *   floor, or conditioning sets that are not N ascending lists without their own target
 */
export function checkScoreRequest(request: ScoreRequest, nodes: number, samples: number): void {
  if (samples < MIN_SAMPLES) {
    throw new MagnitudeEdgeError(
      'too-few-samples',
      `Scores need at least ${MIN_SAMPLES} samples, but ${samples} have been accumulated.`,
      { details: { expected: MIN_SAMPLES, found: samples } },
    );
  }
  checkOneOf('score', request.score, ['corr', 'partial']);
  checkOneOf('layerAgg', request.layerAgg, ['mean', 'max']);
  if (request.varianceFloor !== undefined) checkNotNegative('varianceFloor', request.varianceFloor);
  if (request.score !== 'partial') return;
  checkNotNegative('ridge', request.ridge);
  checkConditioningSets(request, nodes);
}

function checkNotNegative(option: string, found: number): void {
  if (found >= 0 && found < Infinity) return;
  throw new MagnitudeEdgeError(
    'invalid-argument',
    `${option} must be a finite number of at least 0 and is ${found}.`,
    { details: { option, found } },
  );
}

function checkConditioningSets({ conditioningSets: sets }: ScoreRequest, nodes: number): void {
  if (sets.offsets.length !== nodes + 1) {
    throw new MagnitudeEdgeError(
      'invalid-argument',
      `conditioningSets holds ${sets.offsets.length - 1} lists, but there are ${nodes} function nodes.`,
      { details: { option: 'conditioningSets', expected: nodes, found: sets.offsets.length - 1 } },
    );
  }
  for (let target = 0; target < nodes; target++) {
    let previous = -1;
    for (const source of sets.indices.subarray(sets.offsets[target], sets.offsets[target + 1])) {
      if (source <= previous || source >= nodes || source === target) {
        throw new MagnitudeEdgeError(
          'invalid-argument',
          `The conditioning set of target ${target} must be ascending indices below ${nodes} without ${target} itself, ` +
            `but holds ${source} after ${previous}.`,
          { details: { option: 'conditioningSets', target, source } },
        );
      }
      previous = source;
    }
  }
}
