import { signal } from '@preact/signals';
import { download } from '../export/download.ts';
import { formats, type FormatFacts } from '../export/formats.ts';
import { copied, copy } from '../state/clipboard.ts';
import { fileStem, provenanceText } from '../results/wording.ts';
import { filesLeftBehind, sessionLink } from '../state/link.ts';
import { Methods } from './methods.tsx';
import { refuse } from '../state/alerts.ts';
import { result, rows } from '../state/edges.ts';
import { tableWorker } from '../state/workers.ts';

const scope = signal<'all' | 'shown'>('all');

/** The table as files: all of it, or the rows that pass the filters in the order on show. */
export function Downloads() {
  const table = result.value;
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
  const missing = filesLeftBehind();
  return (
    <button
      title={
        missing.length > 0
          ? `Files from your disk (${missing.join(', ')}) are not part of the link: it restores the settings`
          : 'A link that restores these results'
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
  const shown = result.value;
  if (!shown) return;
  const { provenance } = shown;
  try {
    const only = scope.value === 'shown' ? rows.value : null;
    const bytes = await tableWorker.write(facts.format, only, provenanceText(provenance));
    download(
      new Blob([bytes], { type: facts.type }),
      `${fileStem(provenance)}${facts.suffix ?? ''}${only ? '_shown' : ''}.${facts.extension}`,
    );
  } catch (error) {
    refuse(error);
  }
}
