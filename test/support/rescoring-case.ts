import {
  type Engine,
  type MagnitudeBatch,
  raggedFromLists,
  type ScoreMatrices,
  type ScoreRequest,
} from '../../src/statistics.ts';
import { normalNumbers } from './random-numbers.ts';

/** Function nodes of {@link rescoringCase}, sets of up to 37 parents among them. */
export const nodes = 45;

function batchOf(seed: number): MagnitudeBatch {
  const normal = normalNumbers(seed);
  const matrix = (): Float32Array => Float32Array.from({ length: 120 * nodes }, () => 5 + normal());
  return { size: 120, x: [matrix(), matrix()], y: [matrix(), matrix()] };
}

function setsOf(change: (target: number, set: number[]) => number[]): ScoreRequest['conditioningSets'] {
  return raggedFromLists(
    Array.from({ length: nodes }, (_, target) =>
      change(
        target,
        Array.from({ length: target % 38 }, (_, k) => (target + 1 + k) % nodes).sort((a, b) => a - b),
      ),
    ),
  );
}

/** Sends one request after the other to the same engine, and yields how many targets each should have rescored. */
export async function* rescoringCase(makeEngine: () => Promise<Engine>): AsyncGenerator<{
  what: string;
  scoredTargets: number;
  expectedTargets: number;
  found: ScoreMatrices;
  expected: ScoreMatrices;
}> {
  const engine = await makeEngine();
  await engine.accumulateMagnitudes(batchOf(1));
  const first = {
    score: 'partial',
    layerAgg: 'mean',
    ridge: 1e-8,
    conditioningSets: setsOf((_, set) => set),
  } as const;
  // Target 3 gains an edge, 36 loses one (its set is too large for a thread's own memory), and a large set is emptied.
  const edited = setsOf((target, set) => {
    if (target === 3) return [...set, 40];
    if (target === 36) return set.slice(1);
    return target === 37 ? [] : set;
  });
  const requests: [string, number, ScoreRequest][] = [
    ['the first', nodes, first],
    ['the same again', 0, first],
    ['edges added and removed', 3, { ...first, conditioningSets: edited }],
    ['another aggregation', 0, { ...first, layerAgg: 'max', conditioningSets: edited }],
    ['edges back, and the aggregation', 3, first],
    ['another ridge', nodes, { ...first, ridge: 0.1 }],
    ['another score', nodes, { ...first, score: 'corr' }],
    [
      'another graph, which that score does not know of',
      0,
      { ...first, score: 'corr', conditioningSets: edited },
    ],
  ];
  const held: { release(): void }[] = [];
  for (const [at, [what, expectedTargets, request]] of requests.entries()) {
    const scores = await engine.scores(request);
    const before = await scores.matrices();
    // Some handles are released, so that their scores may be overwritten; the others must not change.
    const kept = structuredClone(before);
    if (at % 3 === 0) scores.release();
    else held.push(scores);
    const other = await makeEngine();
    await other.accumulateMagnitudes(batchOf(1));
    const expected = await other.score(request);
    await other.release();
    yield { what, scoredTargets: scores.scoredTargets, expectedTargets, found: kept, expected };
    if (at % 3 !== 0) {
      await (await engine.scores({ ...request, layerAgg: 'max', conditioningSets: edited })).matrices();
      await (await engine.scores(request)).matrices();
      yield {
        what: `${what}, held`,
        scoredTargets: 0,
        expectedTargets: 0,
        found: await scores.matrices(),
        expected,
      };
    }
  }
  for (const scores of held) scores.release();
  await engine.accumulateMagnitudes(batchOf(2));
  const scores = await engine.scores(first);
  const other = await makeEngine();
  await other.accumulateMagnitudes(batchOf(1));
  // Sums are rounded when scores are requested.
  await other.score(first);
  await other.accumulateMagnitudes(batchOf(2));
  const expected = await other.score(first);
  yield {
    what: 'more samples',
    scoredTargets: scores.scoredTargets,
    expectedTargets: nodes,
    found: await scores.matrices(),
    expected,
  };
  await Promise.all([engine.release(), other.release()]);
}
