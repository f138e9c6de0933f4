import type { RaggedIndices } from '../../../statistics/ragged.ts';
import { PANEL, THREAD_SET, WORKGROUP_SET } from './partial-kernels.ts';

/** Targets solved together, packed as shaders/shared/targets.wgsl reads them. */
export interface TargetBlock {
  readonly targets: readonly number[];
  /** Headers and members */
  readonly plan: Uint32Array<ArrayBuffer>;
  /** Sources whose rows of S_xx the block needs, without repeats */
  readonly rowSources: Uint32Array<ArrayBuffer>;
  /** Elements of all factors */
  readonly factorElements: number;
  readonly largestSet: number;
  /** Total number of members of all sets */
  readonly members: number;
}

/** Limits of one block. A target that exceeds them by itself gets its own block. */
export interface BlockLimits {
  readonly rows: number;
  readonly factorElements: number;
}

/** Most members of a set that the GPU solves, whatever its binding limit. */
const LARGEST_SET = 1024;

/**
 * Members of the largest set whose rows of S_xx, 8 bytes for each of `stride` columns, a device binds; the host solves
 * larger sets. With the 128 MiB that every device binds, 1,024 members fit up to 16,384 nodes.
 */
export function largestSet(
  {
    maxStorageBufferBindingSize,
    maxBufferSize,
  }: Pick<GPUSupportedLimits, 'maxStorageBufferBindingSize' | 'maxBufferSize'>,
  stride: number,
): number {
  const rows = Math.floor(Math.min(maxStorageBufferBindingSize, maxBufferSize) / (8 * stride));
  return Math.min(LARGEST_SET, rows);
}

/** Elements of a packed factor with the row of y. */
export function factorElements(set: number): number {
  return ((set + 1) * (set + 2)) / 2;
}

/**
 * Splits targets into blocks within limits. Sets for different kernels never share a block; smaller sets come first, so
 * that the targets of a block have similar sizes.
 *
 * @param range rows of targets: the first, and their number; rows beyond the last target are ignored. If `targets` is
 *   given, only those of them
 * @param largest targets with more members than this are left out
 */
export function planTargets(
  sets: RaggedIndices,
  range: { readonly row: number; readonly rows: number; readonly targets?: Uint32Array | undefined },
  limits: BlockLimits,
  largest: number,
): TargetBlock[] {
  const end = Math.min(range.row + range.rows, sets.offsets.length - 1);
  const sizeOf = (target: number): number => sets.offsets[target + 1]! - sets.offsets[target]!;
  const every = range.targets ?? Uint32Array.from({ length: end - range.row }, (_, slot) => range.row + slot);
  const order = [...every]
    .filter((target) => target >= range.row && target < end && sizeOf(target) <= largest)
    .sort((a, b) => sizeOf(a) - sizeOf(b) || a - b);
  const blocks: TargetBlock[] = [];
  let targets: number[] = [];
  let rows = new Set<number>();
  let factors = 0;
  const close = (): void => {
    if (targets.length > 0) blocks.push(packTargets(sets, targets, [...rows]));
    targets = [];
    rows = new Set();
    factors = 0;
  };
  for (const target of order) {
    const size = sizeOf(target);
    const members = sets.indices.subarray(sets.offsets[target], sets.offsets[target + 1]);
    const newRows = members.reduce((count, member) => count + (rows.has(member) ? 0 : 1), 0);
    const changesKind = targets.length > 0 && bucketOf(size) !== bucketOf(sizeOf(targets[0]!));
    if (
      changesKind ||
      rows.size + newRows > limits.rows ||
      factors + factorElements(size) > limits.factorElements
    ) {
      close();
    }
    targets.push(target);
    for (const member of members) rows.add(member);
    factors += factorElements(size);
  }
  close();
  return blocks;
}

/** Largest set of each bucket: the limits of the kernels, then powers of two, so that no set is twice another. */
const BUCKETS = [THREAD_SET, PANEL, WORKGROUP_SET, 128, 256, 512];

/** Bucket of a set: only sets of the same bucket share dispatches. */
function bucketOf(size: number): number {
  return BUCKETS.filter((largest) => size > largest).length;
}

/** Words of a header: node, first word of its members, number of members, first element of its factor. */
const HEADER_WORDS = 4;

function packTargets(sets: RaggedIndices, targets: readonly number[], rows: readonly number[]): TargetBlock {
  const rowOf = new Map(rows.map((source, row) => [source, row]));
  const words = targets.map((target) => 2 * (sets.offsets[target + 1]! - sets.offsets[target]!));
  const plan = new Uint32Array(HEADER_WORDS * targets.length + words.reduce((sum, count) => sum + count, 0));
  let at = HEADER_WORDS * targets.length;
  let factor = 0;
  let largestSet = 0;
  targets.forEach((target, slot) => {
    const members = sets.indices.subarray(sets.offsets[target], sets.offsets[target + 1]);
    plan.set([target, at, members.length, factor], HEADER_WORDS * slot);
    for (const member of members) {
      plan[at++] = member;
      plan[at++] = rowOf.get(member)!;
    }
    factor += factorElements(members.length);
    largestSet = Math.max(largestSet, members.length);
  });
  const members = words.reduce((sum, count) => sum + count, 0) / 2;
  return { targets, plan, rowSources: Uint32Array.from(rows), factorElements: factor, largestSet, members };
}
