import { signal } from '@preact/signals';
import { download } from '../export/download.ts';
import { formats, type FormatFacts } from '../export/formats.ts';
import { refuse } from '../state/alerts.ts';
import { edges, rows } from '../state/edges.ts';
import { tableWorker } from '../state/workers.ts';

const scope = signal<'all' | 'shown'>('all');

/** The table as files: all of it, or the rows that pass the filters in the order on show. */
export function Downloads() {
  const table = edges.value;
  return (
    <section aria-labelledby="out-title">
      <h2 id="out-title">Take along</h2>
      <label class="check">
        <input
          type="checkbox"
          checked={scope.value === 'shown'}
          onChange={(event) => {
            scope.value = event.currentTarget.checked ? 'shown' : 'all';
          }}
        />
        Only the rows on show
      </label>
      <div class="buttons" style="margin-top:8px">
        {formats.map((facts) => (
          <button
            key={facts.format}
            disabled={!table}
            title={facts.about}
            aria-label={`Download ${facts.label}`}
            onClick={() => void save(facts)}
          >
            {facts.label}
          </button>
        ))}
      </div>
    </section>
  );
}

async function save(facts: FormatFacts): Promise<void> {
  try {
    const only = scope.value === 'shown' ? rows.value : null;
    const bytes = await tableWorker.write(facts.format, only);
    download(new Blob([bytes], { type: facts.type }), `edges.${facts.extension}`);
  } catch (error) {
    refuse(error);
  }
}
