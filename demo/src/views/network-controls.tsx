import { bestShown } from '../edges/network-rows.ts';
import type { NetworkGraph } from '../network/graph.ts';
import type { InferredEdges } from '../network/inferred.ts';
import { score } from '../parts/format.ts';
import { selectNode } from '../state/selection.ts';
import { networkThreshold } from '../state/view.ts';

/** Goes to the node of a name, or to the first one whose label contains the text. */
export function FindNode({
  graph,
  onFind,
}: {
  readonly graph: NetworkGraph;
  readonly onFind: (node: number) => void;
}) {
  const { labels } = graph;
  const find = (text: string) => {
    const part = text.trim().toLowerCase();
    if (part === '') return;
    const exact = graph.names.findIndex((name, node) =>
      [name, labels[node]!].some((one) => one.toLowerCase() === part),
    );
    const node = exact >= 0 ? exact : labels.findIndex((label) => label.toLowerCase().includes(part));
    if (node < 0) return;
    if (node < graph.functions) selectNode(graph, node);
    onFind(node);
  };
  return (
    <>
      <input
        type="search"
        class="search find"
        aria-label="Find a node"
        placeholder="Find a node"
        list="network-nodes"
        onChange={(event) => {
          find(event.currentTarget.value);
        }}
      />
      <datalist id="network-nodes">
        {labels.map((label, node) => (
          <option key={node} value={label} />
        ))}
      </datalist>
    </>
  );
}

const nothingInferred: InferredEdges = {
  rows: new Uint32Array(0),
  threshold: 0,
  extent: 1,
  counts: new Uint32Array(1),
};

/** The lowest score drawn, over a histogram of what it cuts off. Its space is reserved before that is known. */
export function Threshold({ inferred }: { readonly inferred: InferredEdges | null }) {
  const { threshold, extent, counts } = inferred ?? nothingInferred;
  const tallest = Math.log1p(Math.max(1, ...counts));
  const at = networkThreshold.value ?? threshold;
  const cut = (at / (extent || 1)) * counts.length;
  return (
    <div class="threshold">
      <label>
        Score ≥
        <span class="slider">
          <svg viewBox={`0 0 ${counts.length} 1`} preserveAspectRatio="none" aria-hidden="true">
            {[...counts].map((count, bin) => {
              const height = Math.log1p(count) / tallest;
              const side = bin + 0.5 < cut ? 'cut' : undefined;
              return <rect key={bin} class={side} x={bin} width={1} y={1 - height} height={height} />;
            })}
          </svg>
          <input
            type="range"
            aria-label="Minimum score of inferred edges"
            min={0}
            max={extent || 1}
            step="any"
            value={at}
            onInput={(event) => {
              networkThreshold.value = Number(event.currentTarget.value);
            }}
          />
        </span>
        <span class="value">{score(at)}</span>
      </label>
      <button
        class="plain tight"
        title={`Draw the ${bestShown} best pairs that are not in the graph`}
        disabled={networkThreshold.value === null}
        onClick={() => {
          networkThreshold.value = null;
        }}
      >
        {bestShown} best
      </button>
    </div>
  );
}
