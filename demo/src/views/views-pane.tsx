import { signal } from '@preact/signals';
import type { JSX } from 'preact';
import { Heatmap } from './heatmap.tsx';

export type ViewName = 'heatmap';

export const view = signal<ViewName>('heatmap');

const views: readonly { name: ViewName; label: string; View: () => JSX.Element }[] = [
  { name: 'heatmap', label: 'Heatmap', View: Heatmap },
];

/** The views of the table, one at a time, as tabs. */
export function ViewsPane() {
  const at = views.find(({ name }) => name === view.value) ?? views[0]!;
  const move = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = views[(views.indexOf(at) + step + views.length) % views.length]!;
    view.value = next.name;
    document.getElementById(`tab-${next.name}`)?.focus();
  };
  return (
    <main class="views">
      <div class="tabs" role="tablist" aria-label="Views" onKeyDown={move}>
        {views.map(({ name, label }) => (
          <button
            key={name}
            id={`tab-${name}`}
            role="tab"
            aria-selected={name === at.name}
            aria-controls="view-panel"
            tabIndex={name === at.name ? 0 : -1}
            onClick={() => {
              view.value = name;
            }}
          >
            {label}
          </button>
        ))}
      </div>
      <div class="tab-panel" id="view-panel" role="tabpanel" aria-labelledby={`tab-${at.name}`}>
        <at.View />
      </div>
    </main>
  );
}
