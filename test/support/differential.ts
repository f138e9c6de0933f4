import { type Engine, type EngineShape, raggedFromLists } from '../../src/statistics.ts';
import { aggregated, oracleScores, type OracleScore } from './method-oracle.ts';
import { randomBatches, randomProblem } from './random-problem.ts';

/** Outcome of the random problems. */
export interface Differences {
  /** Scores compared */
  readonly compared: number;
  /** Scores left out: a decision so close that rounding may change it, or too little variance left to be meaningful */
  readonly unsure: number;
  /** What was wrong, with the seed that recreates the problem */
  readonly wrong: readonly string[];
}

/**
 * Compares an engine with the definition on random problems, in random batches, some of them merged from two engines.
 * @param rounding error of a score of a well-conditioned problem; scaled by the oracle's amplification
 */
export async function differencesFromOracle(
  createEngine: (shape: EngineShape) => Promise<Engine> | Engine,
  seeds: { readonly first: number; readonly count: number },
  rounding: number,
): Promise<Differences> {
  let [compared, unsure] = [0, 0];
  const wrong: string[] = [];
  for (let seed = seeds.first; seed < seeds.first + seeds.count; seed++) {
    const problem = randomProblem(seed);
    const perPair = oracleScores(problem);
    const expected = [...perPair, aggregated(perPair, problem.layerAgg)];
    const found = await scoresOf(createEngine, seed);
    expected.forEach((scores, at) => {
      const values = at < perPair.length ? found.perPair[at]! : found.aggregated;
      scores.forEach((score, element) => {
        const verdict = compare(values[element]!, score, rounding);
        if (verdict === 'unsure') unsure++;
        else compared++;
        if (verdict === 'wrong') {
          const place = `${at < perPair.length ? `pair ${at}` : problem.layerAgg}, element ${element}`;
          wrong.push(`seed ${seed}, ${problem.score}, ${place}: ${values[element]!}, not ${score.score}`);
        }
      });
    });
  }
  return { compared, unsure, wrong };
}

async function scoresOf(createEngine: (shape: EngineShape) => Promise<Engine> | Engine, seed: number) {
  const problem = randomProblem(seed);
  const { nodes, pairs, parents, score, layerAgg, ridge, varianceFloor } = problem;
  const shape = { nodes, pairs: pairs.length, reduction: 'l1' } as const;
  const engine = await createEngine(shape);
  const other = await createEngine(shape);
  try {
    const batches = randomBatches(problem, seed);
    // Every third problem is split between two engines.
    for (const [index, batch] of batches.entries())
      await (seed % 3 === 0 && index % 2 === 1 ? other : engine).accumulateMagnitudes(batch);
    if (seed % 3 === 0 && batches.length > 1) await engine.merge(await other.statistics());
    return await engine.score({
      score,
      layerAgg,
      ridge,
      varianceFloor,
      conditioningSets: raggedFromLists(parents),
    });
  } finally {
    await engine.release();
    await other.release();
  }
}

function compare(
  found: number,
  { score, close, amplification }: OracleScore,
  rounding: number,
): 'right' | 'wrong' | 'unsure' {
  const tolerance = rounding * amplification;
  if (close || tolerance > 0.01) return 'unsure';
  if (Number.isNaN(score) || Number.isNaN(found))
    return Number.isNaN(score) && Number.isNaN(found) ? 'right' : 'wrong';
  return Math.abs(found - score) <= tolerance ? 'right' : 'wrong';
}
