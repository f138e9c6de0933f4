import { noFilter } from '../edges/row-query.ts';
import { Choice } from '../parts/choice.tsx';
import { counted, whole } from '../parts/format.ts';
import { NumberField } from '../parts/number-field.tsx';
import { clearAllowLists } from '../state/allow-lists.ts';
import { edges, filter, noResult, rows } from '../state/edges.ts';
import { EdgeGrid } from '../table/edge-grid.tsx';

/** The table with its filters. */
export function EdgesPane() {
  const table = edges.value;
  const at = filter.value;
  const isFiltered = JSON.stringify(at) !== JSON.stringify(noFilter);
  const possible = table ? table.names.length * (table.names.length - 1) : 0;
  return (
    <section class="table-pane" aria-label="Table and filters">
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
        <Choice
          inline
          label="Rows to show"
          value={at.edges}
          options={[
            ['all', 'all pairs'],
            ['new', 'new pairs'],
            ['known', 'known edges'],
          ]}
          onChange={(shown) => {
            filter.value = { ...at, edges: shown };
          }}
        />
        <NumberField
          label="Score ≥"
          value={at.minScore}
          onChange={(minScore) => {
            filter.value = { ...at, minScore };
          }}
        />
        {(table?.isTested ?? true) && (
          <NumberField
            label="q ≤"
            value={at.maxQ}
            onChange={(maxQ) => {
              filter.value = { ...at, maxQ };
            }}
          />
        )}
        <span
          class="end soft count"
          role="status"
          aria-label="Rows on show"
          title={
            table && table.rows < possible
              ? `The table holds ${whole(table.rows)} of ${counted(possible, 'pair')}`
              : undefined
          }
        >
          {table && (isFiltered ? whole(rows.value.length) : counted(table.rows, 'row'))}
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
