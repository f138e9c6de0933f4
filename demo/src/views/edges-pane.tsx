import { likelyQ } from '../edges/network-rows.ts';
import { noFilter } from '../edges/row-query.ts';
import { Chip } from '../parts/chip.tsx';
import { counted, whole } from '../parts/format.ts';
import { NumberField } from '../parts/number-field.tsx';
import { clearAllowLists } from '../state/allow-lists.ts';
import { edges, filter, noResult, rows } from '../state/edges.ts';
import { shortlist } from '../state/shortlist.ts';
import { ColumnsMenu } from '../table/columns-menu.tsx';
import { EdgeGrid } from '../table/edge-grid.tsx';

const listedPairs = () => shortlist.value.map(({ source, target }) => [source, target] as const);

const edgeKinds = ['new', 'known'] as const;

/** The table with its filters. */
export function EdgesPane() {
  const table = edges.value;
  const at = filter.value;
  const isFiltered = JSON.stringify(at) !== JSON.stringify(noFilter);
  const isTested = table?.isTested ?? true;
  const possible = table ? table.names.length * (table.names.length - 1) : 0;
  return (
    <section class="table-pane" id="edges" tabIndex={-1} aria-label="Table and filters">
      <div class="toolbar" role="search" aria-label="Filters">
        <input
          type="search"
          aria-label="Search by name"
          placeholder="Search"
          title="Part of a name, or source > target"
          class="search"
          value={at.search}
          onInput={(event) => {
            filter.value = { ...at, search: event.currentTarget.value };
          }}
        />
        <span
          class="end soft count"
          role="status"
          aria-label="Rows shown"
          title={
            table && table.rows < possible
              ? `The table contains ${whole(table.rows)} of ${counted(possible, 'pair')}`
              : undefined
          }
        >
          {table &&
            (isFiltered ? `${whole(rows.value.length)} of ${whole(table.rows)}` : counted(table.rows, 'row'))}
        </span>
        <button
          class="plain tight"
          aria-label="Clear filters"
          title="Clear filters"
          disabled={!isFiltered}
          onClick={() => {
            filter.value = noFilter;
            clearAllowLists();
          }}
        >
          ×
        </button>
        {table && <ColumnsMenu table={table} />}
        <div class="filters">
          <div class="toggles" role="group" aria-label="Rows to show">
            {isTested && (
              <Chip
                pressed={at.maxQ === likelyQ}
                onChange={(on) => {
                  filter.value = { ...at, maxQ: on ? likelyQ : null };
                }}
              >
                q ≤ {likelyQ}
              </Chip>
            )}
            {shortlist.value.length > 0 && (
              <Chip
                pressed={at.pairs !== null}
                onChange={(on) => {
                  filter.value = { ...at, pairs: on ? listedPairs() : null };
                }}
              >
                ★ {shortlist.value.length}
                <span class="visually-hidden"> on the shortlist only</span>
              </Chip>
            )}
            {edgeKinds.map((kind) => (
              <Chip
                key={kind}
                pressed={at.edges === kind}
                title={kind === 'new' ? 'Pairs that are not in the graph' : 'Edges of the graph'}
                onChange={(on) => {
                  filter.value = { ...at, edges: on ? kind : 'all' };
                }}
              >
                {kind} only
              </Chip>
            ))}
          </div>
          <NumberField
            label="Score ≥"
            value={at.minScore}
            onChange={(minScore) => {
              filter.value = { ...at, minScore };
            }}
          />
          {isTested && (
            <NumberField
              label="q ≤"
              value={at.maxQ}
              onChange={(maxQ) => {
                filter.value = { ...at, maxQ };
              }}
            />
          )}
        </div>
      </div>
      {table ? (
        <EdgeGrid table={table} />
      ) : (
        <p class="empty">
          {noResult.value ?? 'The edges appear here as soon as the first samples are seen.'}
        </p>
      )}
    </section>
  );
}
