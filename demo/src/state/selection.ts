import { computed, signal } from '@preact/signals';

/** What all views point at: nothing, a node, or an ordered pair, as numbers of nodes of the table on show. One at a time. */
export type Selection =
  | { readonly kind: 'none' }
  | { readonly kind: 'node'; readonly node: number }
  | { readonly kind: 'pair'; readonly source: number; readonly target: number };

/** A node as what was pointed at: its name, and its number in the table that it was pointed at in. */
interface Named {
  readonly name: string;
  readonly node: number;
}
const chosen = signal<readonly Named[]>([]);

/** Names of the nodes of the table on show, by number. */
export const knownNames = signal<readonly string[]>([]);

const numbers = computed(() => new Map(knownNames.value.map((name, node) => [name, node])));

const none: Selection = { kind: 'none' };
let last: Selection = none;

/** The selection in the table on show. Names are what is selected: in a table that lacks them, nothing is. */
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
  // The same selection is the same object: nobody scrolls to it again because a table was renewed.
  if (!isSame(found, last)) last = found;
  return last;
});

interface HasNames {
  readonly names: readonly string[];
}

/** Selects what is at these numbers in a table, or another list of nodes. */
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

/** The node whose incoming edges the target page shows. */
export const selectedTarget = (at: Selection): number | null =>
  at.kind === 'none' ? null : at.kind === 'node' ? at.node : at.target;

export const isSame = (a: Selection, b: Selection): boolean => JSON.stringify(a) === JSON.stringify(b);
