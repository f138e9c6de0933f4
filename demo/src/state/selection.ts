import { signal } from '@preact/signals';

/** What all views point at: nothing, a node, or an ordered pair. One at a time. */
export type Selection =
  | { readonly kind: 'none' }
  | { readonly kind: 'node'; readonly node: number }
  | { readonly kind: 'pair'; readonly source: number; readonly target: number };

export const selection = signal<Selection>({ kind: 'none' });

export const selectPair = (source: number, target: number): void => {
  selection.value = { kind: 'pair', source, target };
};

export const selectNode = (node: number): void => {
  selection.value = { kind: 'node', node };
};

export const clearSelection = (): void => {
  selection.value = { kind: 'none' };
};

/** The node whose incoming edges the target page shows. */
export const selectedTarget = (at: Selection): number | null =>
  at.kind === 'none' ? null : at.kind === 'node' ? at.node : at.target;
