import type { RowFilter } from '../edges/row-query.ts';
import { labelsOf } from '../names/labels.ts';
import { symbols } from '../names/symbols.ts';
import { edges, filter } from './edges.ts';

/** The filter as requested: if nodes have symbols, a search matches those as well. */
export function requestedFilter(names = edges.value?.names): RowFilter {
  return symbols.value && names ? { ...filter.value, labels: labelsOf(names) } : filter.value;
}
