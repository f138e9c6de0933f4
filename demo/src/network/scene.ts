/** What the network view draws: positions in CSS pixels are made from `positions` by the camera. */
export interface NetworkData {
  readonly names: readonly string[];
  /** How the nodes were laid out: graphs with cycles have no layers. */
  readonly layout: 'layers' | 'force';
  /** x, y of each node. */
  readonly positions: Float32Array;
  /** Source, target of each edge. */
  readonly edges: Uint32Array;
  /** For each edge: 0 known, 1 inferred, 2 inferred and among the positives. */
  readonly kinds: Uint8Array;
  /** For each edge its score, NaN where it has none. */
  readonly scores: Float32Array;
  /** Inferred edges score at least this. */
  readonly threshold: number;
  /** Largest |score| of the table. */
  readonly extent: number;
  /** Pairs that are not in the graph, by score: equal bins from 0 to {@link NetworkData.extent}. */
  readonly counts: Uint32Array;
}

export interface Camera {
  readonly scale: number;
  readonly x: number;
  readonly y: number;
}

/** The camera that shows all of a network with a margin. */
export function cameraFor(positions: Float32Array, width: number, height: number): Camera {
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let k = 0; k < positions.length; k += 2) {
    left = Math.min(left, positions[k]!);
    right = Math.max(right, positions[k]!);
    top = Math.min(top, positions[k + 1]!);
    bottom = Math.max(bottom, positions[k + 1]!);
  }
  const room = 44;
  const scale = Math.min(
    (width - 2 * room) / (right - left || 1),
    (height - 2 * room) / (bottom - top || 1),
    90,
  );
  return {
    scale: Math.max(scale, 1e-3),
    x: (left + right) / 2 - width / 2 / scale,
    y: (top + bottom) / 2 - height / 2 / scale,
  };
}

/** Nodes at most `hops` steps away from any of `nodes`, against and along edges. */
export function neighbourhood(
  { names, edges }: NetworkData,
  nodes: readonly number[],
  hops: number,
): Uint8Array {
  const near = new Uint8Array(names.length);
  for (const node of nodes) near[node] = 1;
  for (let hop = 0; hop < hops; hop++) {
    const next = near.slice();
    for (let e = 0; e < edges.length; e += 2) {
      const [source, target] = [edges[e]!, edges[e + 1]!];
      if (near[source]) next[target] = 1;
      if (near[target]) next[source] = 1;
    }
    near.set(next);
  }
  return near;
}
