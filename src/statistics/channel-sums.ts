/** Sums over the samples of one layer pair, of K channels in the order of their nodes. */
export interface PairChannelSums {
  /** Subtracted from activations, `[K]` */
  readonly pivot: Float64Array;
  /** Of activations minus pivots, of gradients, and of squared gradients: `[K]` each */
  readonly sumX: Float64Array;
  readonly sumU: Float64Array;
  readonly sumU2: Float64Array;
  /** Products of activations minus pivots with each other, `[K, K]`, on and above the diagonal; unspecified below */
  readonly sumXX: Float64Array;
  /** Products of activations minus pivots with gradients, `[K, K]` */
  readonly sumXU: Float64Array;
}

/** Sums of channel values: all that a ridge regression on channels needs, for any number of samples. */
export interface ChannelSums {
  /** n */
  readonly samples: number;
  /** K, channels that belong to a node */
  readonly channels: number;
  /** P entries */
  readonly pairs: readonly PairChannelSums[];
}

/** Vectors and matrices of {@link PairChannelSums}, in their order in files. */
export const channelVectors = ['pivot', 'sumX', 'sumU', 'sumU2'] as const;
export const channelMatrices = ['sumXX', 'sumXU'] as const;

/** Bytes of sums of P layer pairs. */
export function channelSumsBytes(pairs: number, channels: number): number {
  return 8 * pairs * channels * (channelVectors.length + channelMatrices.length * channels);
}

/** Sums over zero samples. @param pivots `[K]` for each layer pair */
export function emptyChannelSums(
  pivots: readonly Float64Array[],
  newDoubles: (length: number) => Float64Array = (length) => new Float64Array(length),
): ChannelSums {
  const channels = pivots[0]?.length ?? 0;
  const zeros = (length: number): Float64Array => newDoubles(length).fill(0);
  const pairs = pivots.map((values) => {
    const pivot = newDoubles(channels);
    pivot.set(values);
    const [sumX, sumU, sumU2] = [zeros(channels), zeros(channels), zeros(channels)];
    return { pivot, sumX, sumU, sumU2, sumXX: zeros(channels ** 2), sumXU: zeros(channels ** 2) };
  });
  return { samples: 0, channels, pairs };
}

/** Adds sums over other samples, about any pivots. @param into changed, except its pivots @returns `into`, with n */
export function addChannelSums(into: ChannelSums, other: ChannelSums): ChannelSums {
  into.pairs.forEach((pair, p) => {
    addPair(pair, other.pairs[p]!, other.samples);
  });
  return { ...into, samples: into.samples + other.samples };
}

function addPair(into: PairChannelSums, other: PairChannelSums, samples: number): void {
  const size = into.pivot.length;
  // x - a = (x - b) + (b - a)
  const shift = other.pivot.map((pivot, c) => pivot - into.pivot[c]!);
  for (let i = 0; i < size; i++) {
    const [d, sum] = [shift[i]!, other.sumX[i]!];
    const row = i * size;
    for (let j = i; j < size; j++) {
      into.sumXX[row + j]! +=
        other.sumXX[row + j]! + sum * shift[j]! + d * other.sumX[j]! + samples * d * shift[j]!;
    }
    for (let j = 0; j < size; j++) into.sumXU[row + j]! += other.sumXU[row + j]! + d * other.sumU[j]!;
  }
  for (let c = 0; c < size; c++) {
    into.sumX[c]! += other.sumX[c]! + samples * shift[c]!;
    into.sumU[c]! += other.sumU[c]!;
    into.sumU2[c]! += other.sumU2[c]!;
  }
}
