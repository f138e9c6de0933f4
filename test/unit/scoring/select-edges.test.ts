import { expect, test } from 'vitest';
import {
  createCpuEngine,
  type Engine,
  type MagnitudeBatch,
  type MagnitudeRequest,
  raggedFromLists,
} from '../../../src/statistics.ts';
import { openConditionalScores } from '../../../src/engine/select-magnitudes.ts';
import { ridgeless } from '../../../src/scoring/regression/conditional-regression.ts';
import { selectEdges, selectionPlan, type SelectedEdge } from '../../../src/scoring/select-edges.ts';
import { createYielder } from '../../../src/statistics/yielder.ts';
import { normalNumbers } from '../../support/random-numbers.ts';
import { refusal } from '../../support/refusal.ts';
import { ranksByDefinition, regressionByDefinition } from '../../support/regression-definition.ts';
import { scoresByDefinition, type PairRows } from '../../support/score-definition.ts';

const NODES = 7;
const SAMPLES = 60;
const parents = [[], [0, 2], [1], [], [0], [], [3]];
const known = new Set(parents.flatMap((own, j) => own.map((i) => i * NODES + j)));

/** Two layer pairs; every y follows a few x, which depend on each other. */
const pairs: PairRows[] = (() => {
  const normal = normalNumbers(12);
  return [1, 2].map(() => {
    const x = Array.from({ length: SAMPLES }, () => {
      const shared = normal();
      return Array.from({ length: NODES }, () => Math.fround(5 + normal() + 0.7 * shared));
    });
    const weights = Array.from({ length: NODES }, () => Array.from({ length: NODES }, () => normal()));
    const y = x.map((row) =>
      weights.map((own) => Math.fround(30 + own.reduce((sum, w, i) => sum + w * row[i]!, 0) + 2 * normal())),
    );
    return { x, y };
  });
})();

const flat = (rows: PairRows['x']): Float32Array => Float32Array.from(rows.flat());
const batch: MagnitudeBatch = {
  size: SAMPLES,
  x: pairs.map(({ x }) => flat(x)),
  y: pairs.map(({ y }) => flat(y)),
};

async function filled(): Promise<Engine> {
  const engine = createCpuEngine({ nodes: NODES, pairs: pairs.length, reduction: 'l1' });
  await engine.accumulateMagnitudes(batch);
  return engine;
}

const asked = (request: Partial<MagnitudeRequest>): MagnitudeRequest => ({
  score: 'partial',
  layerAgg: 'mean',
  ridge: 1e-8,
  conditioningSets: raggedFromLists(parents),
  ...request,
});

async function selected(
  request: Partial<MagnitudeRequest>,
  plan: Parameters<typeof selectionPlan>[0],
): Promise<{ edges: readonly SelectedEdge[]; ended: string }> {
  const engine = await filled();
  const { scores, release } = await openConditionalScores(engine, SAMPLES, asked(request), () => batch);
  const selection = await selectEdges(scores, known, selectionPlan(plan), createYielder());
  await release();
  await engine.release();
  return selection;
}

/** Scores of all pairs, `source * nodes + target`, given what each target has been given beyond the beginning. */
type Rescore = (taken: readonly number[][]) => number[];

/** The same greedy choice, with all scores by definition after every edge. */
function greedy(rescore: Rescore, steps: number): Pick<SelectedEdge, 'source' | 'target' | 'score'>[] {
  const taken: number[][] = Array.from({ length: NODES }, () => []);
  return Array.from({ length: steps }, () => {
    const scores = rescore(taken);
    let best = { source: -1, target: -1, score: -Infinity };
    scores.forEach((score, e) => {
      const [source, target] = [Math.floor(e / NODES), e % NODES];
      if (source === target || known.has(e) || taken[target]!.includes(source)) return;
      if (score > best.score) best = { source, target, score };
    });
    taken[best.target]!.push(best.source);
    return best;
  });
}

function expectSame(found: readonly SelectedEdge[], right: ReturnType<typeof greedy>): void {
  expect(found.map(({ source, target }) => [source, target])).toEqual(
    right.map(({ source, target }) => [source, target]),
  );
  found.forEach(({ score, step }, k) => {
    expect(score).toBeCloseTo(right[k]!.score, 8);
    expect(step).toBe(k + 1);
  });
}

const partialOf =
  (rows: readonly PairRows[], first: readonly number[][]): Rescore =>
  (taken) =>
    scoresByDefinition(rows, {
      score: 'partial',
      layerAgg: 'mean',
      ridge: 1e-8,
      conditioningSets: raggedFromLists(first.map((own, j) => [...own, ...taken[j]!].sort((a, b) => a - b))),
    });

test('partial: the conditioning set of the target grows from its known parents', async () => {
  const { edges, ended } = await selected({ score: 'partial' }, { steps: 9, stopAt: -1 });
  expectSame(edges, greedy(partialOf(pairs, parents), 9));
  expect(ended).toBe('steps');
  for (const { target, conditioned, step } of edges) {
    const before = edges.filter((edge) => edge.target === target && edge.step < step).length;
    expect(conditioned).toBe(parents[target]!.length + before);
  }
});

test('corr: it grows from nothing', async () => {
  const { edges } = await selected({ score: 'corr' }, { steps: 9, stopAt: -1 });
  expectSame(
    edges,
    greedy(
      partialOf(
        pairs,
        parents.map(() => []),
      ),
      9,
    ),
  );
});

test('ranks and pooled observations are selected by as well', async () => {
  const ranked = pairs.map(({ x, y }) => ({ x: ranksByDefinition(x), y: ranksByDefinition(y) }));
  const { edges } = await selected({ score: 'partial', correlation: 'spearman' }, { steps: 5, stopAt: -1 });
  expectSame(edges, greedy(partialOf(ranked, parents), 5));
  // One pair of layers, each half standardised by itself.
  const pooled = {
    x: pairs.flatMap(({ x }) => standardized(x)),
    y: pairs.flatMap(({ y }) => standardized(y)),
  };
  for (const score of ['partial', 'regression'] as const) {
    const found = await selected({ score, layerAgg: 'pooled' }, { steps: 5, stopAt: -1 });
    const rescore = score === 'partial' ? partialOf([pooled], parents) : regressionOf([pooled], 0.3);
    expectSame(found.edges, greedy(rescore, 5));
  }
});

/** No ridge on the coefficients of what has been taken in: a system of its own for each target. */
const regressionOf =
  (rows: readonly PairRows[], lambda: number): Rescore =>
  (taken) => {
    const columns = taken.map((own) =>
      rows.map((pair) => regressionByDefinition(pair, (i) => (own.includes(i) ? 0 : lambda))),
    );
    return Array.from({ length: NODES ** 2 }, (_, e) => {
      const [i, j] = [Math.floor(e / NODES), e % NODES];
      return columns[j]!.reduce((sum, beta) => sum + beta[i]![j]!, 0) / rows.length;
    });
  };

test.each([0.3, 2])('regression, lambda %s: the ridge leaves what is taken in', async (lambda) => {
  const { edges } = await selected({ score: 'regression', lambda }, { steps: 9, stopAt: -1 });
  expectSame(edges, greedy(regressionOf(pairs, lambda), 9));
});

test('edges of one step are of different targets, and change nothing of each other', async () => {
  const one = await selected({ score: 'regression' }, { steps: 6 });
  const three = await selected({ score: 'regression' }, { steps: 2, perStep: 3 });
  expect(three.edges.map(({ step }) => step)).toEqual([1, 1, 1, 2, 2, 2]);
  expect(new Set(three.edges.slice(0, 3).map(({ target }) => target)).size).toBe(3);
  // The best of every target's first, in the same order.
  const firsts = one.edges.filter(
    ({ target }, k) => one.edges.findIndex((edge) => edge.target === target) === k,
  );
  firsts.slice(0, 3).forEach(({ source, target, score }, k) => {
    expect(three.edges[k]).toMatchObject({ source, target, score });
  });
});

test('stopAt ends it, and so does having nothing left', async () => {
  const all = await selected({ score: 'corr' }, { steps: 1000 });
  expect(all.ended).toBe('stopAt');
  expect(all.edges.every(({ score }) => score >= 0)).toBe(true);
  const some = await selected({ score: 'corr' }, { steps: 1000, stopAt: 0.3 });
  expect(some.edges.length).toBeLessThan(all.edges.length);
  expect(some.edges.every(({ score }) => score >= 0.3)).toBe(true);
  const none = await selected({ score: 'regression' }, { steps: 1000, stopAt: -Infinity });
  expect(none.edges).toHaveLength(NODES * (NODES - 1) - known.size);
});

test('sources that depend on each other have no coefficients without a ridge', () => {
  // (C + lambda I)^-1 of two equal sources, lambda 0.5.
  const [a, b] = [1.5 / 1.25, -1 / 1.25];
  const inverse = [
    [a, b],
    [b, a],
  ];
  expect(ridgeless(inverse, [[1], [1]], 0.5)).toBeUndefined();
  expect(ridgeless([[a]], [[0.4]], 0.5)![0]![0]).toBeCloseTo(0.4 / (2 - a), 14);
});

test('what is out of range is refused', async () => {
  for (const [wrong, option] of [
    [{ steps: 0 }, 'steps'],
    [{ perStep: 1.5 }, 'perStep'],
    [{ stopAt: NaN }, 'stopAt'],
  ] as const) {
    const refused = await refusal(selected({}, wrong));
    expect([refused.code, refused.details.option]).toEqual(['invalid-argument', option]);
  }
});

function standardized(rows: readonly (readonly number[])[]): number[][] {
  const moments = rows[0]!.map((_, node) => {
    const mean = rows.reduce((sum, row) => sum + row[node]!, 0) / rows.length;
    return [
      mean,
      Math.sqrt(rows.reduce((sum, row) => sum + (row[node]! - mean) ** 2, 0) / rows.length),
    ] as const;
  });
  return rows.map((row) => row.map((value, node) => (value - moments[node]![0]) / moments[node]![1]));
}
