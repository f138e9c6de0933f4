import { ranges } from '../../../gpu/ranges.ts';
import { MOST_LAYERS, OPERATIONS_PER_STEP, SCRATCH_BYTES } from './block.ts';
import { WORKGROUP } from './score-kernels.ts';
import { PANEL, UPDATE_PLACES } from './partial-kernels.ts';

/** How the forward substitutions of a block share scratch memory. */
export interface SubstitutionShape {
  /** Targets substituted at a time */
  readonly slots: number;
  /** A quarter of the sources substituted at a time */
  readonly quarter: number;
  /** Rows of a target's solutions: one per member, two for remainders */
  readonly rows: number;
}

/** A dispatch of the forward substitutions of a block. */
export interface SubstitutionStep {
  /** 'update' eliminates earlier members from a panel of members; 'solve' solves for the panel. */
  readonly kind: 'update' | 'solve';
  readonly targets: readonly [first: number, end: number];
  readonly firstSource: number;
  /** Within the quarter */
  readonly places: readonly [first: number, end: number];
  /** First member of the panel */
  readonly firstMember: number;
  readonly operations: number;
}

/** The size of the substitutions, by which steps are cut. */
export interface SubstitutionSize {
  readonly targets: number;
  readonly largestSet: number;
  readonly nodes: number;
}

/** Fits solutions to scratch memory, and, if there is more than one target at a time, whole targets to a submit. */
export function substitutionShape(
  { targets, largestSet, nodes }: SubstitutionSize,
  operationsPerSubmit: number,
): SubstitutionShape {
  const rows = largestSet + 2;
  const capacity = Math.floor(SCRATCH_BYTES / (BYTES_PER_PLACE * rows));
  const quarter = Math.min(Math.ceil(nodes / 4), Math.max(1, Math.floor(capacity / WORKGROUP)) * WORKGROUP);
  const ofTarget = 4 * quarter * OPERATIONS_PER_STEP * (largestSet ** 2 / 2 + 4 * largestSet + 8);
  const most = Math.min(targets, MOST_LAYERS, capacity / quarter, operationsPerSubmit / ofTarget);
  return { slots: Math.max(1, Math.floor(most)), quarter, rows };
}

/** Bytes of the solutions of a shape. */
export function solutionBytes({ slots, quarter, rows }: SubstitutionShape): number {
  return BYTES_PER_PLACE * slots * quarter * rows;
}

/**
 * The dispatches of a block's forward substitutions in order. None exceeds a submit, except that it does at least the
 * work of one workgroup.
 */
export function* substitutionSteps(
  { targets, largestSet, nodes }: SubstitutionSize,
  { slots, quarter }: SubstitutionShape,
  operationsPerSubmit: number,
): Generator<SubstitutionStep> {
  for (const [first, end] of ranges(targets, slots)) {
    for (let firstSource = 0; firstSource < nodes; firstSource += 4 * quarter) {
      const cut = function* (kind: SubstitutionStep['kind'], firstMember: number, perEntry: number) {
        const members = Math.min(PANEL, Math.ceil((largestSet - firstMember) / 4) * 4);
        const perPlace = 4 * (end - first) * OPERATIONS_PER_STEP * (members * perEntry + 8);
        const together = kind === 'update' ? UPDATE_PLACES : WORKGROUP;
        const most = Math.max(1, Math.floor(operationsPerSubmit / perPlace / together)) * together;
        for (const places of ranges(quarter, most)) {
          const operations = (places[1] - places[0]) * perPlace;
          yield { kind, targets: [first, end], firstSource, places, firstMember, operations } as const;
        }
      };
      yield* cut('solve', 0, PANEL / 2 + 2);
      for (let member = PANEL; member < largestSet; member += PANEL) {
        yield* cut('update', member, member);
        yield* cut('solve', member, PANEL / 2 + 2);
      }
    }
  }
}

/** High and low words for four sources. */
const BYTES_PER_PLACE = 32;
