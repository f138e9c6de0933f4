import { errorOf, type EdgeColumns } from '../edges/edge-columns.ts';
import type { Listed } from '../state/shortlist.ts';
import { quoted } from './delimited.ts';

/**
 * A shortlist as CSV: the table's numbers for each pair, and its note. Fields are empty for pairs that the table lacks.
 */
export function shortlistCsv(
  table: EdgeColumns,
  rowOf: (source: number, target: number) => number,
  list: readonly Listed[],
): string {
  const number = (value: number | undefined) => (value === undefined || Number.isNaN(value) ? '' : String(value));
  const lines = list.map(({ source, target, note }) => {
    const row = rowOf(table.names.indexOf(source), table.names.indexOf(target));
    const numbers =
      row < 0
        ? ['', '', '', '', '']
        : [
            number(table.score[row]),
            number(errorOf(table, row)),
            number(table.pValue[row]),
            number(table.qValue[row]),
            table.hasEdge[row] ? 'true' : 'false',
          ];
    return [source, target, ...numbers, note].map((field) => quoted(field, ',')).join(',');
  });
  const head = `src_func,dst_func,${table.scoreColumn},standard_error,p_value,q_value,has_edge,note`;
  return `${[head, ...lines].join('\n')}\n`;
}
