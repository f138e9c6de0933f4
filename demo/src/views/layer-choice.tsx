import type { EdgeColumns } from '../edges/edge-columns.ts';
import { Choice } from '../parts/choice.tsx';
import { score } from '../parts/format.ts';

interface Props {
  readonly table: EdgeColumns;
  /** Row of the edge whose scores are listed; -1 for none */
  readonly row: number;
  readonly layer: number;
  readonly onChange: (layer: string) => void;
}

/** Selects the layer pair of an edge that is shown; nothing if there is only one. */
export function LayerChoice({ table, row, layer, onChange }: Props) {
  if (table.pairs.length < 2) return null;
  return (
    <Choice
      label="Layers"
      value={String(layer)}
      options={table.pairs.map(({ values }, k): [string, string] => [
        String(k),
        `blocks ${k} and ${k + 1}: ${row >= 0 ? score(values[row]!) : '–'}`,
      ])}
      onChange={onChange}
    />
  );
}
