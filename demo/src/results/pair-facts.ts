import { errorOf, type EdgeColumns } from '../edges/edge-columns.ts';
import { shortestPath } from '../graph/shortest-path.ts';
import { labelsOf } from '../names/labels.ts';
import { counted, estimate, percent, probability, score, whole } from '../parts/format.ts';
import { whyUnscored } from './why-unscored.ts';

/** A number about a pair, and its origin. */
export interface PairFact {
  readonly label: string;
  readonly value: string;
  readonly about: string;
  /** Its form in text, if that is not label and value. */
  readonly text?: string;
}

/** What the table and the graph say of a pair, in numbers. */
export function pairFacts(table: EdgeColumns, row: number, source: number, target: number): PairFact[] {
  if (row < 0) return [pathFact(table, source, target)];
  const value = table.score[row]!;
  const { standardError, signStability, empiricalP } = table.uncertainty;
  const error = errorOf(table, row);
  const { groups, permutations } = table.metadata;
  const facts: PairFact[] = [
    {
      label: 'Score',
      value: estimate(value, error),
      about:
        whyUnscored(table, row) ??
        (error === undefined ? 'The score of the table' : 'With its standard error'),
    },
  ];
  if (error !== undefined && !Number.isNaN(error))
    facts.push({
      label: '95% interval',
      value: `${score(value - 1.96 * error)} to ${score(value + 1.96 * error)}`,
      about: standardError
        ? `1.96 jackknife standard errors to either side${groups ? `, over ${groups} groups of samples` : ''}`
        : '1.96 standard errors of the regression to either side',
    });
  if (table.isTested)
    facts.push({
      label: 'q',
      value: probability(table.qValue[row]!),
      about: `Benjamini-Hochberg over all rows; p ${probability(table.pValue[row]!)}`,
    });
  const rank = rankAmongSources(table, row);
  if (rank) facts.push(rank);
  if (signStability)
    facts.push({
      label: 'Same sign',
      value: signs(signStability[row]!, groups),
      about: `Scores that keep their sign when one ${groups ? `of ${groups} groups` : 'group'} of samples is left out`,
    });
  if (empiricalP)
    facts.push({
      label: 'Shuffled p',
      value: probability(empiricalP[row]!),
      about: `How often ${permutations ? counted(Number(permutations), 'shuffle') : 'shuffles'} of the targets reach this score`,
    });
  return [...facts, pathFact(table, source, target)];
}

/** Rank of a pair among all sources of its target that have a score. */
function rankAmongSources({ rows, dst, score }: EdgeColumns, row: number): PairFact | null {
  if (Number.isNaN(score[row]!)) return null;
  let [above, all] = [0, 0];
  for (let other = 0; other < rows; other++) {
    if (dst[other] !== dst[row] || Number.isNaN(score[other]!)) continue;
    all++;
    if (score[other]! > score[row]!) above++;
  }
  return {
    label: 'Rank',
    value: `${whole(above + 1)} of ${whole(all)}`,
    about: 'Among the sources of this target that have a score',
  };
}

function pathFact({ names, rows, hasEdge, src, dst }: EdgeColumns, source: number, target: number): PairFact {
  const known: [number, number][] = [];
  for (let row = 0; row < rows; row++) if (hasEdge[row]) known.push([src[row]!, dst[row]!]);
  const path = shortestPath(names.length, known, source, target);
  const label = 'Known path';
  if (!path) return { label, value: 'none', about: 'No path of known edges leads from source to target' };
  const called = (by: readonly string[]) => path.map((node) => by[node]!).join(' → ');
  return {
    label,
    value: counted(path.length - 1, 'step'),
    about: called(labelsOf(names)),
    text: `known path ${called(names)}`,
  };
}

/** `9 of 10`, or a percentage if the number of groups is unknown. */
const signs = (share: number, groups: string | undefined): string =>
  groups === undefined || Number.isNaN(share)
    ? percent(share)
    : `${Math.round(share * Number(groups))} of ${groups}`;

/** The facts as text to copy. */
export const pairText = (names: readonly [string, string], facts: readonly PairFact[], of: string): string =>
  `${names[0]} → ${names[1]}: ${facts.map(inText).join('; ')}. ${of}`;

const inText = ({ label, value, text }: PairFact): string =>
  text ?? `${label.replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase())} ${value}`;
