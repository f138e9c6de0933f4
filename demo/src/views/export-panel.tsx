import { signal } from '@preact/signals';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { likelyQ, bestShown, networkRows } from '../edges/network-rows.ts';
import { download } from '../export/download.ts';
import { formats, type ExportFormat, type FormatFacts } from '../export/formats.ts';
import { shortlistCsv } from '../export/shortlist.ts';
import { CopyButton } from '../parts/copy-button.tsx';
import { bytes, whole } from '../parts/format.ts';
import { fileStem, provenanceText } from '../results/wording.ts';
import { refuse } from '../state/alerts.ts';
import { makeBundle } from '../state/bundle.ts';
import { edges, result, rowOfPair, rows } from '../state/edges.ts';
import { filesLeftBehind, sessionLink } from '../state/link.ts';
import { phase } from '../state/run.ts';
import { shortlist } from '../state/shortlist.ts';
import { tableWorker } from '../state/workers.ts';
import { Methods } from './methods.tsx';

const scope = signal<'all' | 'shown'>('all');

/** Exports the table as files: all of it, or the rows that pass the filters in the order shown. */
export function ExportPanel() {
  const table = edges.value;
  const forNetworks = useMemo(() => table && networkRows(table), [table]);
  const rowsOf = ({ isNetwork }: FormatFacts): Uint32Array | null =>
    scope.value === 'shown' ? rows.value : isNetwork ? forNetworks : null;
  const sizes = useSizes(rowsOf);
  return (
    <section aria-labelledby="out-title">
      <h2 id="out-title">Export</h2>
      <label class="check">
        <input
          type="checkbox"
          checked={scope.value === 'shown'}
          onChange={(event) => {
            scope.value = event.currentTarget.checked ? 'shown' : 'all';
          }}
        />
        Only the rows shown{table && ` (${whole(rows.value.length)})`}
      </label>
      <div class="formats">
        {formats.map((facts) => (
          <div key={facts.format}>
            <button
              disabled={!table}
              title={`${facts.about}${facts.isNetwork ? `: ${ofNetworks()}` : ''}`}
              aria-label={`Download ${facts.label}`}
              aria-describedby={`size-${facts.format}`}
              onClick={() => void save(facts, rowsOf(facts))}
            >
              {facts.label}
            </button>
            <span class="soft" id={`size-${facts.format}`}>
              {sizes?.get(facts.format) === undefined ? '–' : bytes(sizes.get(facts.format)!)}
            </span>
          </div>
        ))}
      </div>
      <p class="caption">Network files contain {ofNetworks()}.</p>
      <div class="buttons more">
        {table && shortlist.value.length > 0 && (
          <button onClick={saveShortlist}>Shortlist ({shortlist.value.length})</button>
        )}
        <button
          disabled={!table}
          title="Table, settings, view, positives and shortlist as one .zip, which opens here again"
          onClick={() => void saveSession()}
        >
          Session
        </button>
        <Methods />
        <CopyLink />
      </div>
    </section>
  );
}

function ofNetworks(): string {
  if (scope.value === 'shown') return 'the rows shown';
  return edges.value?.isTested === false
    ? `known edges and the ${bestShown} best pairs`
    : `known edges and pairs with q ≤ ${likelyQ}`;
}

/** Size of each file; null until it is known, and while a run keeps changing it. */
function useSizes(
  rowsOf: (facts: FormatFacts) => Uint32Array | null,
): ReadonlyMap<ExportFormat, number> | null {
  const [known, setKnown] = useState<{ of: unknown; sizes: ReadonlyMap<ExportFormat, number> } | null>(null);
  const table = edges.value;
  const isQuiet = phase.value === 'idle';
  // The rows are a new array whenever the filter or the table changes.
  const of = scope.value === 'shown' ? rows.value : table;
  useEffect(() => {
    if (!table || !isQuiet) return;
    let wanted = true;
    Promise.all(
      formats.map(
        async (facts) => [facts.format, await tableWorker.fileSize(facts.format, rowsOf(facts))] as const,
      ),
    ).then(
      (sizes) => {
        if (wanted) setKnown({ of, sizes: new Map(sizes) });
      },
      // A size that cannot be determined is not worth an error.
      () => undefined,
    );
    return () => {
      wanted = false;
    };
  }, [of, table, isQuiet]);
  return known?.of === of ? known.sizes : null;
}

/** Copies the address that restores this session to the clipboard and into the address bar. */
function CopyLink() {
  const missing = filesLeftBehind();
  return (
    <CopyButton
      what="link"
      label="Copy link"
      title={
        missing.length > 0
          ? `Files from your disk (${missing.join(', ')}) are not part of the link: it restores the settings`
          : 'A link that restores these results'
      }
      text={() => {
        const link = sessionLink();
        history.replaceState(null, '', link);
        return link;
      }}
    />
  );
}

async function save(facts: FormatFacts, only: Uint32Array | null): Promise<void> {
  const shown = result.value;
  if (!shown) return;
  const { provenance } = shown;
  try {
    const written = await tableWorker.write(facts.format, only, provenanceText(provenance));
    download(
      new Blob([written], { type: facts.type }),
      `${fileStem(provenance)}${facts.suffix ?? ''}${scope.value === 'shown' ? '_shown' : ''}.${facts.extension}`,
    );
  } catch (error) {
    refuse(error);
  }
}

/** Saves all that is shown, to be opened again. */
async function saveSession(): Promise<void> {
  const shown = result.value;
  if (!shown) return;
  try {
    const bundle = await makeBundle();
    download(new Blob([bundle], { type: 'application/zip' }), `${fileStem(shown.provenance)}_session.zip`);
  } catch (error) {
    refuse(error);
  }
}

/** Saves the shortlist with its notes. */
function saveShortlist(): void {
  const shown = result.value;
  if (!shown) return;
  const text = shortlistCsv(shown.columns, rowOfPair.value, shortlist.value);
  download(new Blob([text], { type: 'text/csv' }), `${fileStem(shown.provenance)}_shortlist.csv`);
}
