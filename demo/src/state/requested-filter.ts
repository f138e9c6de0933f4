import type { RowFilter } from '../edges/row-query.ts';
import { labelsOf } from '../names/labels.ts';
import { symbols } from '../names/symbols.ts';
import { edges, filter } from './edges.ts';

/** The filter as it is asked for: where nodes have symbols, a search finds those as well. */
export function requestedFilter(names = edges.value?.names): RowFilter {
  return symbols.value && names ? { ...filter.value, labels: labelsOf(names) } : filter.value;
}
