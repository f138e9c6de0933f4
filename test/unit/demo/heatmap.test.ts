import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { matrixFromColumns, type ScoreMatrix } from '../../../demo/src/edges/score-matrix.ts';
import { seeded } from '../../../demo/src/graph/random.ts';
import {
  cellHasEdge,
  cellHasScore,
  cellMax,
  cellMin,
  joinCells,
  packCell,
  shownScore,
} from '../../../demo/src/heatmap/cell.ts';
import { HeatmapPyramid, levelCount, tileSize } from '../../../demo/src/heatmap/pyramid.ts';
import { fitted, levelFor, panned, zoomed } from '../../../demo/src/heatmap/viewport.ts';
import { ScrollMap, tallestElement } from '../../../demo/src/table/scroll-map.ts';

const step = 1 / 16383;
const score = fc.double({ min: -1, max: 1, noNaN: true });

describe('cells', () => {
  test('keep least and largest score to half a step, and the edge', () => {
    fc.assert(
      fc.property(score, score, fc.boolean(), (a, b, edge) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        const cell = packCell(low, high, edge);
        expect(Math.abs(cellMin(cell) - low)).toBeLessThanOrEqual(step / 2 + 1e-12);
        expect(Math.abs(cellMax(cell) - high)).toBeLessThanOrEqual(step / 2 + 1e-12);
        expect(cellHasEdge(cell)).toBe(edge);
      }),
    );
  });

  test('joining is taking the extremes of what has a score', () => {
    const empty = packCell(Infinity, -Infinity, true);
    const joined = joinCells(empty, joinCells(packCell(-0.5, 0.1, false), packCell(0, 0.3, false)));
    expect(cellHasScore(empty)).toBe(false);
    expect(cellMin(joined)).toBeCloseTo(-0.5, 4);
    expect(cellMax(joined)).toBeCloseTo(0.3, 4);
    expect(cellHasEdge(joined)).toBe(true);
    expect(shownScore(joined)).toBeCloseTo(-0.5, 4);
  });
});

describe('HeatmapPyramid', () => {
  const nodes = 1100;
  const random = seeded(5);
  const matrix: ScoreMatrix = {
    nodes,
    scores: Float32Array.from({ length: nodes * nodes }, () =>
      random() < 0.1 ? Number.NaN : 2 * random() - 1,
    ),
    edges: Uint8Array.from({ length: nodes * nodes }, () => (random() < 0.01 ? 1 : 0)),
    isSigned: true,
    extent: 1,
  };
  const order = Uint32Array.from({ length: nodes }, (_, place) => (place * 7) % nodes);
  const pyramid = new HeatmapPyramid(matrix, order);

  test.each([0, 1, 2, levelCount(nodes) - 1])(
    'level %i holds the extremes of the cells under each texel',
    (level) => {
      const span = 2 ** level;
      const texels = pyramid.tile({ level, row: 0, column: 0 });
      for (const [row, column] of [
        [0, 0],
        [3, 17],
        [60, 68],
      ] as const) {
        let [low, high] = [Infinity, -Infinity];
        for (let i = row * span; i < Math.min((row + 1) * span, nodes); i++)
          for (let k = column * span; k < Math.min((column + 1) * span, nodes); k++) {
            const value = matrix.scores[order[i]! * nodes + order[k]!]!;
            if (Number.isNaN(value)) continue;
            [low, high] = [Math.min(low, value), Math.max(high, value)];
          }
        const cell = texels[row * tileSize + column]!;
        expect(cellHasScore(cell)).toBe(low <= high);
        if (low > high) continue;
        expect(Math.abs(cellMin(cell) - low)).toBeLessThanOrEqual(step);
        expect(Math.abs(cellMax(cell) - high)).toBeLessThanOrEqual(step);
      }
    },
  );

  test('is empty beyond the border', () => {
    const last = pyramid.tile({ level: 0, row: 4, column: 4 });
    expect(last[(nodes - 4 * tileSize) * tileSize]).toBe(0);
  });
});

test('a table becomes the square that it lists', () => {
  const matrix = matrixFromColumns({
    names: ['a', 'b', 'c'],
    rows: 2,
    src: Int32Array.of(0, 2),
    dst: Int32Array.of(1, 0),
    score: Float64Array.of(0.25, -0.75),
    pValue: new Float64Array(2),
    qValue: new Float64Array(2),
    hasEdge: Uint8Array.of(1, 0),
    conditioned: null,
    uncertainty: {},
    scoreColumn: 'corr',
    isSigned: true,
    isTested: true,
    pairs: [],
    metadata: {},
  });
  const _ = Number.NaN;
  expect([...matrix.scores]).toEqual([_, 0.25, _, _, _, _, -0.75, _, _]);
  expect([...matrix.edges]).toEqual([0, 1, 0, 0, 0, 0, 0, 0, 0]);
  expect(matrix.extent).toBe(0.75);
});

describe('the window onto the square', () => {
  const size = { width: 500, height: 400 };

  test('zooming keeps the cell under the pointer, panning stays inside', () => {
    const start = fitted(10_000, size);
    expect(start.scale).toBeCloseTo(0.04, 6);
    const near = zoomed(start, 100, 250, 200, 10_000, size);
    expect(near.column + 250 / near.scale).toBeCloseTo(250 / start.scale, 6);
    const far = panned(near, 1e9, 1e9, 10_000, size);
    expect(far.column + size.width / far.scale).toBeCloseTo(10_000, 6);
  });

  test('texels are one to two pixels until single cells are larger', () => {
    for (const scale of [0.04, 0.06, 0.3, 0.9]) {
      const texel = scale * 2 ** levelFor(scale, 8);
      expect(texel).toBeGreaterThanOrEqual(1);
      expect(texel).toBeLessThan(2);
    }
    expect(levelFor(8, 8)).toBe(0);
  });
});

describe('ScrollMap', () => {
  test('a list that fits is scrolled as it is', () => {
    const map = new ScrollMap();
    expect(map.resize(100_000, 500)).toBe(100_000);
    map.scrolled(4321);
    expect(map.offset).toBe(4321);
  });

  test('a taller list: wheel steps are exact, the thumb goes by proportion, both ends are reached', () => {
    const map = new ScrollMap();
    const height = 24_000_000;
    expect(map.resize(height, 500)).toBe(tallestElement);
    map.scrolled(120);
    expect(map.offset).toBe(120);
    expect(map.settled()).toBe(40);
    map.scrolled((tallestElement - 500) / 2);
    expect(map.offset).toBeCloseTo((height - 500) / 2, 0);
    map.scrolled(tallestElement - 500);
    expect(map.offset).toBeCloseTo(height - 500, 0);
    map.scrolled(0);
    expect(map.offset).toBe(0);
  });
});
