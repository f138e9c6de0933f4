import { uncertaintyOf, type EdgeColumns } from '../edges/edge-columns.ts';
import { escapeXml } from './xml.ts';

/**
 * GraphML with ids. Each edge has the attributes that Cytoscape expects (`name`, `interaction`), score, p, q, its
 * uncertainty if known, and kind ("known" or "inferred").
 */
export function* graphml(columns: EdgeColumns, rows: Iterable<number>): Generator<string> {
  const numbers = numbersOf(columns);
  yield `<?xml version="1.0" encoding="UTF-8"?>\n<graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n`;
  yield `<key id="name" for="node" attr.name="name" attr.type="string"/>\n`;
  for (const [id, name] of [['interaction'], ['edge_name', 'name'], ['kind']] as const)
    yield `<key id="${id}" for="edge" attr.name="${name ?? id}" attr.type="string"/>\n`;
  for (const { name } of numbers)
    yield `<key id="${name}" for="edge" attr.name="${name}" attr.type="double"/>\n`;
  yield `<graph edgedefault="directed">\n`;
  for (const [node, name] of columns.names.entries())
    yield `<node id="n${node}"><data key="name">${escapeXml(name)}</data></node>\n`;
  for (const row of rows) {
    const data = numbers
      .filter(({ values }) => Number.isFinite(values[row]))
      .map(({ name, values }) => `<data key="${name}">${values[row]!}</data>`);
    const { id, source, target } = endsOf(columns, row);
    const [kind, name] = [kindOf(columns, row), escapeXml(nameOf(columns, row))];
    yield `<edge id="${id}" source="${source}" target="${target}"><data key="interaction">${kind}</data><data key="edge_name">${name}</data><data key="kind">${kind}</data>${data.join('')}</edge>\n`;
  }
  yield `</graph>\n</graphml>\n`;
}

/** Cytoscape JSON (.cyjs), elements grouped into nodes and edges. */
export function* cytoscapeJson(
  columns: EdgeColumns,
  rows: Iterable<number>,
  title: string,
): Generator<string> {
  yield `{"data":{"name":${JSON.stringify(title)}},"elements":{"nodes":[\n`;
  yield columns.names
    .map((name, node) => JSON.stringify({ data: { id: `n${node}`, name, 'shared name': name } }))
    .join(',\n');
  yield `\n],"edges":[\n`;
  const numbers = numbersOf(columns);
  let first = true;
  for (const row of rows) {
    const [kind, name] = [kindOf(columns, row), nameOf(columns, row)];
    const shown = { interaction: kind, 'shared interaction': kind, name, 'shared name': name };
    const facts = numbers.map(({ name, values }) => [name, finite(values[row]!)] as const);
    const data = { ...endsOf(columns, row), ...shown, kind, ...Object.fromEntries(facts) };
    yield (first ? '' : ',\n') + JSON.stringify({ data });
    first = false;
  }
  yield `\n]}}\n`;
}

const kindOf = ({ hasEdge }: EdgeColumns, row: number) => (hasEdge[row] ? 'known' : 'inferred');

/** The name that Cytoscape would give an edge of its own. */
const nameOf = (columns: EdgeColumns, row: number) =>
  `${columns.names[columns.src[row]!]!} (${kindOf(columns, row)}) ${columns.names[columns.dst[row]!]!}`;

const endsOf = ({ src, dst }: EdgeColumns, row: number) => ({
  id: `e${src[row]!}_${dst[row]!}`,
  source: `n${src[row]!}`,
  target: `n${dst[row]!}`,
});

/** The numbers of an edge, under their names in these files. */
const numbersOf = (columns: EdgeColumns) => [
  { name: 'score', values: columns.score },
  ...(columns.isTested
    ? [
        { name: 'p_value', values: columns.pValue },
        { name: 'q_value', values: columns.qValue },
      ]
    : []),
  ...uncertaintyOf(columns),
];

/** NaN is omitted from GraphML, and null in JSON. */
const finite = (value: number) => (Number.isFinite(value) ? value : null);
