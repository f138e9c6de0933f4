import { batch } from '@preact/signals';
import { filter, sort } from '../src/state/edges.ts';
import { heatmapOrder, networkThreshold, view } from '../src/state/view.ts';
import type { Settings } from './messages.ts';

/** How the table is viewed now. */
export const settingsNow = (): Settings => ({
  view: view.value,
  order: heatmapOrder.value,
  threshold: networkThreshold.value,
  sort: sort.value,
  filter: filter.value,
});

/** Restores how a table was viewed. */
export function restore(settings: Settings): void {
  batch(() => {
    view.value = settings.view;
    heatmapOrder.value = settings.order;
    networkThreshold.value = settings.threshold;
    sort.value = settings.sort;
    filter.value = settings.filter;
  });
}
