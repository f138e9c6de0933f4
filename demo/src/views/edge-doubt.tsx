import type { EdgeColumns } from '../edges/edge-columns.ts';
import { Figure } from '../parts/figure.tsx';
import { counted, estimate, percent, probability } from '../parts/format.ts';

interface Props {
  readonly table: EdgeColumns;
  readonly row: number;
}

/** How sure one score is, in numbers, and what they mean. Nothing for a table that was not resampled. */
export function EdgeDoubt({ table, row }: Props) {
  const { standardError, signStability, empiricalP } = table.uncertainty;
  if (row < 0 || !(standardError ?? signStability ?? empiricalP)) return null;
  // Of a table from a text file they are not known.
  const { groups, permutations } = table.metadata;
  return (
    <section aria-label="How sure this score is">
      <dl class="numbers few">
        <Figure label="Score" value={estimate(table.score[row]!, standardError?.[row])} />
        {signStability && <Figure label="Same sign" value={signs(signStability[row]!, groups)} />}
        {empiricalP && <Figure label="Shuffled p" value={probability(empiricalP[row]!)} />}
      </dl>
      <p class="caption">
        {[
          standardError && '±: jackknife standard error.',
          signStability &&
            `Same sign: scores that keep their sign when one ${groups ? `of ${groups} groups` : 'group'} of samples is left out.`,
          empiricalP &&
            `Shuffled p: how often ${permutations ? counted(Number(permutations), 'shuffle') : 'shuffles'} of the targets reach this score.`,
        ]
          .filter(Boolean)
          .join(' ')}
      </p>
    </section>
  );
}

/** `9 of 10`, or the share where the number of groups is not known. */
const signs = (share: number, groups: string | undefined): string =>
  groups === undefined || Number.isNaN(share)
    ? percent(share)
    : `${Math.round(share * Number(groups))} of ${groups}`;
