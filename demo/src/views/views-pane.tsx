import type { JSX } from 'preact';
import { savePicture } from '../state/picture.ts';
import { view, viewNames, type ViewName } from '../state/view.ts';
import { Heatmap } from './heatmap.tsx';
import { NetworkView } from './network.tsx';
import { RankingView } from './ranking.tsx';
import { Significance } from './significance.tsx';
import { TargetView } from './target.tsx';
import { TryView } from './try.tsx';

const allViews: readonly { name: ViewName; label: string; View: () => JSX.Element }[] = [
  { name: 'heatmap', label: 'Heatmap', View: Heatmap },
  { name: 'network', label: 'Network', View: NetworkView },
  { name: 'target', label: 'Target', View: TargetView },
  { name: 'ranking', label: 'Ranking', View: RankingView },
  { name: 'significance', label: 'Significance', View: Significance },
  { name: 'try', label: 'Try', View: TryView },
];

/** The views of the table, one at a time, as tabs; `names` are those on offer. */
export function ViewsPane({ names = viewNames }: { readonly names?: readonly ViewName[] }) {
  const views = allViews.filter(({ name }) => names.includes(name));
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
      <div class="view-head">
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
        <div class="picture-buttons" role="group" aria-label="Save this view">
          <button class="plain" aria-label="Download PNG" onClick={() => void savePicture('png')}>
            PNG
          </button>
          <button class="plain" aria-label="Download SVG" onClick={() => void savePicture('svg')}>
            SVG
          </button>
        </div>
      </div>
      <div class="tab-panel" id="view-panel" role="tabpanel" aria-labelledby={`tab-${at.name}`} tabIndex={0}>
        <at.View />
      </div>
    </main>
  );
}
