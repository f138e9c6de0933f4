import type { EdgeColumns } from '../edges/edge-columns.ts';
import { hiddenColumns, moveColumn, ordered, showColumn } from '../state/columns.ts';
import { columnsOf } from './columns.tsx';

/** Chooses which columns are shown, and in which order. */
export function ColumnsMenu({ table }: { readonly table: EdgeColumns }) {
  const columns = ordered(columnsOf(table, null));
  const hidden = hiddenColumns.value;
  const shown = columns.filter(({ key }) => !hidden.has(key)).length;
  return (
    <details class="columns-menu">
      <summary>Columns</summary>
      <ul>
        {columns.map(({ key, label, about }, at) => (
          <li key={key}>
            <label class="check" title={about}>
              <input
                type="checkbox"
                aria-label={`Column ${label}`}
                checked={!hidden.has(key)}
                disabled={shown === 1 && !hidden.has(key)}
                onChange={(event) => {
                  showColumn(key, event.currentTarget.checked);
                }}
              />
              {label}
            </label>
            <button
              class="plain tight"
              aria-label={`Move ${label} to the left`}
              disabled={at === 0}
              onClick={() => {
                moveColumn(columns, key, columns[at - 1]!.key);
              }}
            >
              ↑
            </button>
          </li>
        ))}
      </ul>
    </details>
  );
}
