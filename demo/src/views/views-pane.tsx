import type { Signal } from '@preact/signals';
import type { JSX } from 'preact';
import { secondView } from '../state/panes.ts';
import { view, viewNames, type ViewName } from '../state/view.ts';
import { CompareView } from './compare.tsx';
import { EdgeRecovery } from './edge-recovery.tsx';
import { EvidenceView } from './evidence.tsx';
import { FigureButton } from './figure-dialog.tsx';
import { Heatmap } from './heatmap.tsx';
import { NetworkView } from './network.tsx';
import { RankingView } from './ranking.tsx';
import { Significance } from './significance.tsx';

const allViews: readonly { name: ViewName; label: string; View: () => JSX.Element }[] = [
  { name: 'heatmap', label: 'Heatmap', View: Heatmap },
  { name: 'network', label: 'Network', View: NetworkView },
  { name: 'evidence', label: 'Evidence', View: EvidenceView },
  { name: 'ranking', label: 'Ranking', View: RankingView },
  { name: 'significance', label: 'Significance', View: Significance },
  { name: 'compare', label: 'Compare', View: CompareView },
  { name: 'recovery', label: 'Edge recovery', View: EdgeRecovery },
];

/** One view of the table, or two; `names` are the views offered. */
export function ViewsPane({ names = viewNames }: { readonly names?: readonly ViewName[] }) {
  const isSplit = secondView.value !== null && names.includes(secondView.value);
  return (
    <main class="views">
      <div class="view-panes">
        <Pane place="first" shown={view} names={names} />
        {isSplit && <Pane place="second" shown={secondView} names={names} />}
      </div>
    </main>
  );
}

interface PaneProps {
  readonly place: 'first' | 'second';
  readonly shown: Signal<ViewName | null> | Signal<ViewName>;
  readonly names: readonly ViewName[];
}

/** Tabs, and the view that they select. */
function Pane({ place, shown, names }: PaneProps) {
  const views = allViews.filter(({ name }) => names.includes(name));
  const at = views.find(({ name }) => name === shown.value) ?? views[0]!;
  const show = (name: ViewName) => {
    const other = place === 'first' ? secondView : view;
    // No view is shown twice: the two swap.
    if (other.value === name) (other as Signal<ViewName>).value = at.name;
    (shown as Signal<ViewName>).value = name;
  };
  const id = (name: ViewName) => (place === 'first' ? `tab-${name}` : `second-tab-${name}`);
  const panel = place === 'first' ? 'view-panel' : 'second-view-panel';
  const move = (event: KeyboardEvent) => {
    const last = views.length - 1;
    const now = views.indexOf(at);
    const next = {
      ArrowRight: now === last ? 0 : now + 1,
      ArrowLeft: now === 0 ? last : now - 1,
      Home: 0,
      End: last,
    }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    show(views[next]!.name);
    document.getElementById(id(views[next]!.name))?.focus();
  };
  return (
    <div class="view-pane">
      <div class="view-head">
        <div
          class="tabs"
          role="tablist"
          aria-label={place === 'first' ? 'Views' : 'Second view'}
          onKeyDown={move}
        >
          {views.map(({ name, label }) => (
            <button
              key={name}
              id={id(name)}
              role="tab"
              aria-selected={name === at.name}
              aria-controls={panel}
              tabIndex={name === at.name ? 0 : -1}
              onClick={() => {
                show(name);
              }}
            >
              {label}
            </button>
          ))}
        </div>
        {place === 'first' ? (
          <div class="picture-buttons" role="group" aria-label="This view">
            <FigureButton panel={panel} view={at.name} />
            {secondView.value === null && (
              <button
                class="plain"
                title="A second view beside this one"
                onClick={() => {
                  secondView.value = views.find(({ name }) => name !== at.name)!.name;
                }}
              >
                Split
              </button>
            )}
          </div>
        ) : (
          <div class="picture-buttons" role="group" aria-label="The second view">
            <FigureButton panel={panel} view={at.name} />
            <button
              class="plain"
              aria-label="Close the second view"
              onClick={() => {
                secondView.value = null;
              }}
            >
              ×
            </button>
          </div>
        )}
      </div>
      <div class="tab-panel" id={panel} role="tabpanel" aria-labelledby={id(at.name)} tabIndex={0}>
        <at.View />
      </div>
    </div>
  );
}
