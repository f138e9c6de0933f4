import { signal } from '@preact/signals';

export const viewNames = ['heatmap', 'network', 'target', 'ranking', 'significance', 'try'] as const;
export type ViewName = (typeof viewNames)[number];

/** The view at the right. */
export const view = signal<ViewName>('heatmap');
