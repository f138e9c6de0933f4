/* global WebAssembly, TextEncoder */
/** Twelve independent sums, more than it takes to keep two units with a latency of four cycles busy. */
const SUMS = 12;
/** Rounds per call, and calls: V8 switches to the optimized loop at the next call, never within one. */
const ROUNDS = 2 ** 20;
const CALLS = 20;

/** Operations per run: a multiplication and an addition for each of two float64 */
export const operations = 4 * SUMS * ROUNDS * CALLS;

/** Prefixes a section, or a function's code, with its length. @param {readonly number[]} bytes */
const sized = (...bytes) => [
  ...(bytes.length < 128 ? [bytes.length] : [(bytes.length % 128) | 128, bytes.length >> 7]),
  ...bytes,
];

/**
 * `(rounds: i32) -> f64`. The sums are added up at the end, in one vector: there are no neighbouring operations from
 * which an engine could make wider vectors.
 * @param {boolean} fused by `f64x2.relaxed_madd`; else by two instructions
 */
function encodeLoop(fused) {
  const [rounds, factor, sum0] = [0, 1, 2];
  const get = (/** @type {number} */ local) => [0x20, local];
  const set = (/** @type {number} */ local) => [0x21, local];
  const sums = Array.from({ length: SUMS }, (_, k) => sum0 + k);
  const [add, multiply, multiplyAdd] = [
    [0xfd, 0xf0, 0x01],
    [0xfd, 0xf2, 0x01],
    [0xfd, 0x87, 0x02],
  ];
  const body = [
    // One group of locals, of type v128.
    ...[1, 1 + SUMS, 0x7b],
    // factor = f64x2.splat(f64.convert_i32_u(rounds)), which no compiler can know
    ...[...get(rounds), 0xb8, 0xfd, 0x14, ...set(factor)],
    ...[0x03, 0x40],
    ...sums.flatMap((sum) =>
      fused
        ? [...get(factor), ...get(factor), ...get(sum), ...multiplyAdd, ...set(sum)]
        : [...get(sum), ...get(factor), ...multiply, ...get(factor), ...add, ...set(sum)],
    ),
    // rounds -= 1, and repeat while it is not 0
    ...[...get(rounds), 0x41, 1, 0x6b, 0x22, rounds, 0x0d, 0, 0x0b],
    ...get(sum0),
    ...sums.slice(1).flatMap((sum) => [...get(sum), ...add]),
    // f64x2.extract_lane 0
    ...[0xfd, 0x21, 0, 0x0b],
  ];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...[1, ...sized(1, 0x60, 1, 0x7f, 1, 0x7c)],
    ...[3, ...sized(1, 0)],
    ...[7, ...sized(1, 3, ...new TextEncoder().encode('run'), 0, 0)],
    ...[10, ...sized(1, ...sized(...body))],
  ]);
}

/** Runs the loop once, {@link operations} in all. @type {() => void} */
export const run = (() => {
  const fused = encodeLoop(true);
  const code = WebAssembly.validate(fused) ? fused : encodeLoop(false);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(code));
  const loop = /** @type {(rounds: number) => number} */ (exports['run']);
  return () => {
    for (let call = 0; call < CALLS; call++) loop(ROUNDS);
  };
})();
