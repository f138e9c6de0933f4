import { uncertaintyOf, type EdgeColumns } from '../edges/edge-columns.ts';

/** GraphML with score, p, q, what is known of uncertainty, and kind ("known" or "inferred") on each edge. */
export function* graphml(columns: EdgeColumns, rows: Iterable<number>): Generator<string> {
  const numbers = numbersOf(columns);
  yield `<?xml version="1.0" encoding="UTF-8"?>\n<graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n`;
  yield `<key id="name" for="node" attr.name="name" attr.type="string"/>\n`;
  yield `<key id="kind" for="edge" attr.name="kind" attr.type="string"/>\n`;
  for (const { name } of numbers)
    yield `<key id="${name}" for="edge" attr.name="${name}" attr.type="double"/>\n`;
  yield `<graph edgedefault="directed">\n`;
  for (const [node, name] of columns.names.entries())
    yield `<node id="n${node}"><data key="name">${escaped(name)}</data></node>\n`;
  for (const row of rows) {
    const data = numbers
      .filter(({ values }) => Number.isFinite(values[row]))
      .map(({ name, values }) => `<data key="${name}">${values[row]!}</data>`);
    yield `<edge source="n${columns.src[row]!}" target="n${columns.dst[row]!}"><data key="kind">${kindOf(columns, row)}</data>${data.join('')}</edge>\n`;
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
    .map((name, node) => JSON.stringify({ data: { id: `n${node}`, name } }))
    .join(',\n');
  yield `\n],"edges":[\n`;
  const numbers = numbersOf(columns);
  let first = true;
  for (const row of rows) {
    const [source, target] = [columns.src[row]!, columns.dst[row]!];
    const ends = { id: `e${source}_${target}`, source: `n${source}`, target: `n${target}` };
    const facts = numbers.map(({ name, values }) => [name, finite(values[row]!)] as const);
    const data = { ...ends, kind: kindOf(columns, row), ...Object.fromEntries(facts) };
    yield (first ? '' : ',\n') + JSON.stringify({ data });
    first = false;
  }
  yield `\n]}}\n`;
}

const kindOf = ({ hasEdge }: EdgeColumns, row: number) => (hasEdge[row] ? 'known' : 'inferred');

/** The numbers of an edge, by their names in these files. */
const numbersOf = (columns: EdgeColumns) => [
  { name: 'score', values: columns.score },
  { name: 'p_value', values: columns.pValue },
  { name: 'q_value', values: columns.qValue },
  ...uncertaintyOf(columns),
];

/** NaN has no place in XML doubles or JSON: such a number is left out there, and null here. */
const finite = (value: number) => (Number.isFinite(value) ? value : null);

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
};
const escaped = (text: string) =>
  text
    .replaceAll(/[&<>"]/g, (character) => escapes[character]!)
    // Control characters are not allowed in XML 1.0, not even escaped.
    // eslint-disable-next-line no-control-regex
    .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, '\uFFFD');
