import type { PairMoments } from '../statistics/covariances.ts';

/** Why the pairs of a node have no score: a byte of flags per node, each set if it applies in any layer pair. */
export const NODE_FLAG = { constantSource: 1, constantTarget: 2, singularSet: 4 } as const;

/** Sets the flags of nodes that are constant in a layer pair, whose variances are NaN; see `scoredMoments`. */
export function flagConstants({ varX, varY }: PairMoments, flags: Uint8Array): void {
  for (let i = 0; i < flags.length; i++) {
    if (Number.isNaN(varX[i]!)) flags[i]! |= NODE_FLAG.constantSource;
    if (Number.isNaN(varY[i]!)) flags[i]! |= NODE_FLAG.constantTarget;
  }
}

/** Adds flags of other layer pairs. */
export function addFlags(into: Uint8Array, flags: Uint8Array): void {
  for (let i = 0; i < into.length; i++) into[i]! |= flags[i]!;
}

/**
 * The flags after some targets were scored again, over the same samples: their earlier singularity flags are dropped.
 *
 * @param targets absent: all
 */
export function flagsAfter(
  before: Uint8Array,
  now: Uint8Array,
  targets: Uint32Array | undefined,
): Uint8Array {
  if (targets === undefined) return now;
  const flags = before.slice();
  for (const target of targets) flags[target]! &= ~NODE_FLAG.singularSet;
  addFlags(flags, now);
  return flags;
}
