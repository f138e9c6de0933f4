import { expect, test } from 'vitest';
import type { EdgeColumns } from '../../../demo/src/edges/edge-columns.ts';
import { cytoscapeJson, graphml } from '../../../demo/src/export/network-files.ts';

const names = [
  'plain',
  `a<b>&"c'`,
  'tab\there',
  'carriage\rreturn',
  'line\nfeed',
  'nul\u0000x',
  'escape\u001b[31m',
  'noncharacter\ufffex',
  'lone\ud800surrogate',
  'pair\ud83e\uddec',
  ']]>',
  '__proto__',
];

const columns: EdgeColumns = {
  names,
  rows: 2,
  src: Int32Array.of(0, 3),
  dst: Int32Array.of(1, 7),
  score: Float64Array.of(0.5, NaN),
  pValue: Float64Array.of(0.01, 1),
  qValue: Float64Array.of(0.02, 1),
  hasEdge: Uint8Array.of(0, 1),
  conditioned: null,
  scoreColumn: 'corr',
  isSigned: true,
  isTested: true,
  pairs: [],
  uncertainty: {},
  metadata: {},
};

test('GraphML holds what XML 1.0 may hold, whatever the names', () => {
  const text = [...graphml(columns, [0, 1])].join('');
  // The production Char of XML 1.0; a parser reads a bare carriage return as a line feed.
  expect(
    Array.from(text).filter((c) => !/^[\t\n\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]$/u.test(c)),
  ).toEqual([]);
  expect(text).toContain('<data key="name">carriage&#13;return</data>');
  expect(text).toContain('<data key="name">lone\\ud800surrogate</data>');
  expect(text).toContain('<data key="name">]]&gt;</data>');
  expect(text).toContain('<data key="name">pair\ud83e\uddec</data>');
  expect(text).toContain(
    '<edge id="e0_1" source="n0" target="n1"><data key="interaction">inferred</data>' +
      '<data key="edge_name">plain (inferred) a&lt;b&gt;&amp;&quot;c\'</data><data key="kind">inferred</data><data key="score">0.5</data>',
  );
  // No score, no double.
  expect(text).toContain('<data key="kind">known</data><data key="p_value">1</data>');
});

test('Cytoscape JSON keeps every name, and gives edges what Cytoscape shows of them', () => {
  const { elements } = JSON.parse([...cytoscapeJson(columns, [0, 1], 't')].join('')) as {
    elements: Record<'nodes' | 'edges', { data: Record<string, unknown> }[]>;
  };
  expect(elements.nodes.map(({ data }) => data.name)).toEqual(names);
  expect(elements.nodes[3]!.data['shared name']).toBe(names[3]);
  expect(elements.edges[1]!.data).toEqual({
    id: 'e3_7',
    source: 'n3',
    target: 'n7',
    interaction: 'known',
    'shared interaction': 'known',
    name: 'carriage\rreturn (known) noncharacter\ufffex',
    'shared name': 'carriage\rreturn (known) noncharacter\ufffex',
    kind: 'known',
    score: null,
    p_value: 1,
    q_value: 1,
  });
});
