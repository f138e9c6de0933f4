import { computed, signal } from '@preact/signals';

/** What all views point at: nothing, a node, or an ordered pair, by node numbers in the table shown. One at a time. */
export type Selection =
  | { readonly kind: 'none' }
  | { readonly kind: 'node'; readonly node: number }
  | { readonly kind: 'pair'; readonly source: number; readonly target: number };

/** A node as it was selected: its name, and its number in the table where it was selected. */
interface Named {
  readonly name: string;
  readonly node: number;
}
const chosen = signal<readonly Named[]>([]);

/** Names of the nodes of the table shown, by number. */
export const knownNames = signal<readonly string[]>([]);

const numbers = computed(() => new Map(knownNames.value.map((name, node) => [name, node])));

const none: Selection = { kind: 'none' };
let last: Selection = none;

/** The selection in the table shown. Nodes are selected by name: in a table that lacks the names, nothing is. */
export const selection = computed<Selection>(() => {
  const [source, target] = chosen.value.map(({ name, node }) =>
    knownNames.value[node] === name ? node : numbers.value.get(name),
  );
  const isPair = chosen.value.length === 2;
  const found: Selection =
    source === undefined || (isPair && target === undefined)
      ? none
      : isPair
        ? { kind: 'pair', source, target: target! }
        : { kind: 'node', node: source };
  // An unchanged selection stays the same object, so that views do not scroll to it again when a table is renewed.
  if (!isSame(found, last)) last = found;
  return last;
});

interface HasNames {
  readonly names: readonly string[];
}

/** Selects by numbers of nodes in a table, or in another list of nodes. */
export function select({ names }: HasNames, at: Selection): void {
  const nodes = at.kind === 'none' ? [] : at.kind === 'node' ? [at.node] : [at.source, at.target];
  chosen.value = nodes.map((node) => ({ node, name: names[node] ?? '' }));
}

export const selectPair = (list: HasNames, source: number, target: number): void => {
  select(list, { kind: 'pair', source, target });
};

export const selectNode = (list: HasNames, node: number): void => {
  select(list, { kind: 'node', node });
};

export const clearSelection = (): void => {
  chosen.value = [];
};

/** The node whose incoming edges the evidence view shows. */
export const selectedTarget = (at: Selection): number | null =>
  at.kind === 'none' ? null : at.kind === 'node' ? at.node : at.target;

export const isSame = (a: Selection, b: Selection): boolean => JSON.stringify(a) === JSON.stringify(b);
