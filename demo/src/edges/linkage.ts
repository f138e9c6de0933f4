/**
 * Leaf order of an average-linkage tree over a symmetric distance, by the nearest-neighbour chain: O(n^2) time and memory.
 * `distance` (`[nodes, nodes]`) is overwritten.
 */
export function averageLinkageOrder(distance: Float32Array, nodes: number): Uint32Array {
  const members: number[][] = Array.from({ length: nodes }, (_, node) => [node]);
  const alive = new Set(members.keys());
  const chain: number[] = [];
  while (alive.size > 1) {
    if (chain.length === 0) chain.push(alive.values().next().value!);
    const tip = chain.at(-1)!;
    const previous = chain.at(-2) ?? -1;
    const nearest = nearestOf(tip, previous, alive, distance, nodes);
    if (nearest !== previous) {
      chain.push(nearest);
      continue;
    }
    chain.length -= 2;
    join(tip, nearest, alive, members, distance, nodes);
  }
  return Uint32Array.from(members[alive.values().next().value ?? 0] ?? []);
}

/** The cluster nearest to `tip`; the previous one in the chain wins a tie, so that every chain ends. */
function nearestOf(tip: number, previous: number, alive: Set<number>, distance: Float32Array, nodes: number) {
  let nearest = previous;
  let least = previous < 0 ? Infinity : distance[tip * nodes + previous]!;
  for (const other of alive) {
    const d = distance[tip * nodes + other]!;
    if (other !== tip && (d < least || nearest < 0)) {
      least = d;
      nearest = other;
    }
  }
  return nearest;
}

/** Merges b into a: distances become the mean over members (Lance-Williams); leaves stay adjacent. */
function join(
  a: number,
  b: number,
  alive: Set<number>,
  members: number[][],
  distance: Float32Array,
  nodes: number,
) {
  const sizeA = members[a]!.length;
  const sizeB = members[b]!.length;
  alive.delete(b);
  for (const other of alive) {
    if (other === a) continue;
    const merged =
      (sizeA * distance[a * nodes + other]! + sizeB * distance[b * nodes + other]!) / (sizeA + sizeB);
    distance[a * nodes + other] = merged;
    distance[other * nodes + a] = merged;
  }
  members[a] = members[a]!.concat(members[b]!);
  members[b] = [];
}
