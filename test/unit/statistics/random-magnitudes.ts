/** A small generator of repeatable numbers in [0, 1): Park and Miller's, enough for test data. */
export function generator(seed: number): () => number {
  let state = (seed % 2147483646) + 1;
  return () => (state = (state * 48271) % 2147483647) / 2147483647;
}

/** Magnitudes of one pair of layers, row-major `[samples, nodes]`: around `mean`, with y following x. */
export function magnitudes(
  samples: number,
  nodes: number,
  seed: number,
  mean = 3,
): { x: Float32Array; y: Float32Array } {
  const random = generator(seed);
  const x = Float32Array.from({ length: samples * nodes }, () => mean + random());
  const y = x.map((value, k) => value + random() + (k % nodes));
  return { x, y };
}
