import { counted, whole } from '../parts/format.ts';
import { dataFacts, modelFacts } from '../state/run.ts';
import { edges } from '../state/edges.ts';
import { showsSide } from '../state/panes.ts';
import { theme, type Theme } from '../state/theme.ts';

const next: Readonly<Record<Theme, Theme>> = { auto: 'light', light: 'dark', dark: 'auto' };

/** Name, loaded inputs, and the theme. */
export function Head() {
  return (
    <header class="head">
      <h1 class="brand">
        <img src="./icon.svg" alt="" />
        magnitude-edge
      </h1>
      <p class="facts clip soft">{loaded()}</p>
      <button
        class="plain side-toggle"
        aria-expanded={showsSide.value}
        aria-controls="inputs"
        onClick={() => {
          showsSide.value = !showsSide.value;
        }}
      >
        {showsSide.value ? 'Hide inputs' : 'Show inputs'}
      </button>
      <button
        class="plain"
        onClick={() => {
          theme.value = next[theme.value];
        }}
        aria-label={`Theme: ${theme.value}. Change to ${next[theme.value]}`}
      >
        Theme: {theme.value}
      </button>
    </header>
  );
}

function loaded(): string {
  const model = modelFacts.value;
  if (model) {
    const parts = [
      counted(model.functions.length, 'function node'),
      counted(model.edges.length, 'edge'),
      counted(model.layers, 'block'),
      `${model.norm} norm`,
    ];
    if (dataFacts.value) parts.push(counted(dataFacts.value.samples, 'sample'));
    return parts.join(' · ');
  }
  const table = edges.value;
  return table ? `${counted(table.rows, 'row')} · ${whole(table.names.length)} function nodes` : '';
}
