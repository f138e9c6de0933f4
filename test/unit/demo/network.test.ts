import { describe, expect, test } from 'vitest';
import { seeded } from '../../../demo/src/graph/random.ts';
import { cameraFor } from '../../../demo/src/network/camera.ts';
import type { NetworkGraph } from '../../../demo/src/network/graph.ts';
import { layOutGraph } from '../../../demo/src/network/layout.ts';
import { nameShapes } from '../../../demo/src/network/names.ts';
import { networkShapes, type Sight } from '../../../demo/src/network/picture.ts';
import { sceneOf } from '../../../demo/src/network/scene.ts';
import { withoutCycles } from '../../../demo/src/network/without-cycles.ts';

/** A random graph, cycles included. */
function randomGraph(nodes: number, edges: number): NetworkGraph {
  const random = seeded(nodes);
  const node = () => Math.floor(random() * nodes);
  const names = Array.from({ length: nodes }, (_, k) => `ENSG${String(k * 7919).padStart(11, '0')}_G${k}`);
  const known = Array.from({ length: edges }, () => [node(), node()] as const).filter(([a, b]) => a !== b);
  return { names, labels: names, functions: nodes, inputs: 0, known, outer: [] };
}

const colours = {
  ...{ ground: 'a', ink: 'b', soft: 'c', line: 'd' },
  ...{ known: 'e', inferred: 'f', positive: 'g', accent: 'h' },
};

function sightOf(graph: NetworkGraph, zoom: number, selected = -1): Sight {
  const { positions } = layOutGraph(graph, 'layers');
  const size = { width: 540, height: 680 };
  const camera = cameraFor(positions, size);
  return {
    scene: sceneOf(graph, positions, null),
    camera: { ...camera, scale: zoom * camera.scale },
    size,
    look: colours,
    marks: {
      selection: selected < 0 ? { kind: 'none' } : { kind: 'pair', source: selected, target: selected + 1 },
      lit: { kind: 'none' },
      near: null,
    },
  };
}

const letter = 6;
const widthOf = (text: string) => letter * text.length;

/** Left, right, top and bottom of a name. */
function boxOf({ text, at: [x, y], align }: { text: string; at: readonly [number, number]; align: string }) {
  const width = widthOf(text);
  const left = align === 'start' ? x : align === 'end' ? x - width : x - width / 2;
  return { left, right: left + width, top: y - 5.5, bottom: y + 5.5 };
}

describe('names', () => {
  test('no two of them overlap, at any zoom, with a selection or without', () => {
    let named = 0;
    for (const graph of [randomGraph(24, 40), randomGraph(300, 900)])
      for (const zoom of [0.5, 1, 2, 5])
        for (const selected of [-1, 3]) {
          const boxes = [...nameShapes(sightOf(graph, zoom, selected), widthOf)].map(boxOf);
          named += boxes.length;
          const overlaps = boxes.filter((a, k) =>
            boxes
              .slice(k + 1)
              .some((b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom),
          );
          expect(overlaps).toEqual([]);
        }
    expect(named).toBeGreaterThan(100);
  });

  test('what is selected has its whole name, first', () => {
    const graph = randomGraph(300, 900);
    const [first, second] = nameShapes(sightOf(graph, 1, 3), widthOf);
    expect([first!.text, second!.text].sort()).toEqual([graph.names[3]!, graph.names[4]!].sort());
    expect([first!.bold, second!.bold]).toEqual([true, true]);
  });
});

test('where more is drawn than is in sight, names stand where the frame does not cut them', () => {
  const names = ['FIRST_NODE_A', 'OTHER_NODE_B'];
  const graph = { names, labels: names, functions: 2, inputs: 0, known: [[0, 1]] as const, outer: [] };
  // Pixels of the picture: a node ten of them within the left side of what is in sight, and one within the right.
  const positions = Float32Array.from([160, 200, 490, 200]);
  const sight: Sight = {
    ...sightOf(randomGraph(24, 40), 1),
    scene: sceneOf(graph, positions, null),
    camera: { scale: 1, x: 0, y: 0 },
    size: { width: 650, height: 400 },
  };
  const sides = (at: Sight) =>
    [...nameShapes(at, widthOf)].map((text) => boxOf(text)).map(({ left, right }) => [left, right]);
  // Above their discs, half of the name at either side.
  expect(sides(sight)).toEqual([
    [160 - 36, 160 + 36],
    [490 - 36, 490 + 36],
  ]);
  const frame = { left: 150, right: 500, top: 100, bottom: 300 };
  for (const marks of [
    sight.marks,
    { ...sight.marks, selection: { kind: 'pair', source: 0, target: 1 } as const },
  ]) {
    const within = sides({ ...sight, frame, marks });
    expect(within).toHaveLength(2);
    for (const [left, right] of within) {
      expect(left).toBeGreaterThanOrEqual(frame.left);
      expect(right).toBeLessThanOrEqual(frame.right);
    }
  }
});

describe('layers', () => {
  test.each([
    ['by dagre', randomGraph(40, 100)],
    ['large ones by sweeps', randomGraph(300, 900)],
  ])('all edges but those that close cycles run from left to right: %s', (_, graph) => {
    const { positions, backward } = layOutGraph(graph, 'layers');
    const against = graph.known.filter(
      ([source, target]) => positions[2 * source]! >= positions[2 * target]!,
    );
    expect(against).toHaveLength(backward);
    // Turning fewer than half of the edges is what the rule promises at least (Eades, Lin and Smyth 1993).
    expect(backward).toBeLessThan(graph.known.length / 2 - graph.names.length / 6);
    const places = new Set(graph.names.map((_, node) => `${positions[2 * node]} ${positions[2 * node + 1]}`));
    expect(places.size).toBe(graph.names.length);
  });

  test('a graph without cycles has no edge turned', () => {
    const graph = randomGraph(100, 300);
    const downhill = graph.known.map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
    expect(withoutCycles(100, downhill)).toEqual({ edges: downhill, turned: 0 });
  });
});

test('what is out of sight is not drawn', () => {
  const graph = randomGraph(300, 900);
  const whole = [...networkShapes(sightOf(graph, 1))];
  const part = [...networkShapes(sightOf(graph, 8))];
  expect(whole.filter(({ kind }) => kind === 'node')).toHaveLength(300);
  expect(part.length).toBeLessThan(whole.length / 2);
});
