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

/** The view at the right. */
export const view = signal<ViewName>('heatmap');

/** How the heatmap's rows and columns stand. */
export const defaultOrder: NodeOrderName = 'index';
export const heatmapOrder = signal<NodeOrderName>(defaultOrder);

/** Inferred edges of the network score at least this; null shows the best few. */
export const networkThreshold = signal<number | null>(null);
