import type { EdgeColumns } from '../edges/edge-columns.ts';

/** GraphML with score, p, q and kind ("known" or "inferred") on each edge. */
export function* graphml(columns: EdgeColumns, rows: Iterable<number>): Generator<string> {
  const keys = ['score', 'p_value', 'q_value'];
  yield `<?xml version="1.0" encoding="UTF-8"?>\n<graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n`;
  yield `<key id="name" for="node" attr.name="name" attr.type="string"/>\n`;
  yield `<key id="kind" for="edge" attr.name="kind" attr.type="string"/>\n`;
  for (const key of keys) yield `<key id="${key}" for="edge" attr.name="${key}" attr.type="double"/>\n`;
  yield `<graph edgedefault="directed">\n`;
  for (const [node, name] of columns.names.entries())
    yield `<node id="n${node}"><data key="name">${escaped(name)}</data></node>\n`;
  for (const row of rows) {
    const facts = edgeFacts(columns, row);
    const data = keys.flatMap((key) => {
      const value = facts[key as 'score' | 'p_value' | 'q_value'];
      return value === null ? [] : [`<data key="${key}">${value}</data>`];
    });
    yield `<edge source="n${columns.src[row]!}" target="n${columns.dst[row]!}"><data key="kind">${facts.kind}</data>${data.join('')}</edge>\n`;
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
  let first = true;
  for (const row of rows) {
    const [source, target] = [columns.src[row]!, columns.dst[row]!];
    const data = { id: `e${source}_${target}`, source: `n${source}`, target: `n${target}` };
    yield (first ? '' : ',\n') + JSON.stringify({ data: { ...data, ...edgeFacts(columns, row) } });
    first = false;
  }
  yield `\n]}}\n`;
}

/** NaN has no place in XML doubles or JSON: such a number is left out. */
function edgeFacts(columns: EdgeColumns, row: number) {
  const finite = (value: number) => (Number.isFinite(value) ? value : null);
  return {
    kind: columns.hasEdge[row] ? 'known' : 'inferred',
    score: finite(columns.score[row]!),
    p_value: finite(columns.pValue[row]!),
    q_value: finite(columns.qValue[row]!),
  };
}

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
