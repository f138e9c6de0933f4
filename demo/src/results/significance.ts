import type { EdgeColumns } from '../edges/edge-columns.ts';
import { probability } from '../parts/format.ts';

type Tested = Pick<EdgeColumns, 'isTested' | 'pValue' | 'qValue'>;

/** `q 0.012` of a row; empty if the table has no p-values. */
export const qOf = ({ isTested, qValue }: Tested, row: number): string[] =>
  isTested ? [`q ${probability(qValue[row]!)}`] : [];

/** p and q of a row, as {@link qOf}. */
export const pAndQOf = (table: Tested, row: number): string[] =>
  table.isTested ? [`p ${probability(table.pValue[row]!)}`, ...qOf(table, row)] : [];

/** Why scores have no p-values. */
export const untested =
  'These scores have no p-values: for channel scores, turn on "Keep every sample" and set Shuffles under Uncertainty.';
