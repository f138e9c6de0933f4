import { signal } from '@preact/signals';
import type { NodeOrderName } from '../edges/node-order.ts';

export const viewNames = [
  'heatmap',
  'network',
  'evidence',
  'ranking',
  'significance',
  'recovery',
  'compare',
] as const;
export type ViewName = (typeof viewNames)[number];

/** The view on the right. */
export const view = signal<ViewName>('heatmap');

/** Order of the heatmap's rows and columns. */
export const defaultOrder: NodeOrderName = 'index';
export const heatmapOrder = signal<NodeOrderName>(defaultOrder);

/** Lowest score of inferred edges in the network; null shows the best few. */
export const networkThreshold = signal<number | null>(null);
