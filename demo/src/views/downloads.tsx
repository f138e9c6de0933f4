import { signal } from '@preact/signals';
import { download } from '../export/download.ts';
import { formats, type FormatFacts } from '../export/formats.ts';
import { copied, copy } from '../state/clipboard.ts';
import { inputs, type InputRole } from '../state/inputs.ts';
import { sessionLink } from '../state/link.ts';
import { Methods } from './methods.tsx';
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
      <div class="buttons more">
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
      <div class="buttons more">
        <Methods />
        <CopyLink />
      </div>
    </section>
  );
}

/** The address that restores this session goes to the clipboard and into the address bar. */
function CopyLink() {
  const local = (['model', 'data', 'table'] satisfies InputRole[]).some(
    (role) => inputs.value[role]?.origin === 'disk',
  );
  return (
    <button
      title={
        local
          ? 'Files from your disk are not part of the link: it restores the settings'
          : 'A link that restores this session'
      }
      onClick={() => {
        const link = sessionLink();
        history.replaceState(null, '', link);
        void copy('link', link);
      }}
    >
      {copied.value === 'link' ? 'Copied' : 'Copy link'}
    </button>
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
