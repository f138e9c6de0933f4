/** Node reveals the flags it was started with. */
const host: { readonly process?: Partial<Pick<NodeJS.Process, 'execArgv'>> } = globalThis;

/** Bits of the vectors that the engine computes with. */
export type VectorBits = 128 | 256;

/**
 * 256 if Node was started with V8's `--experimental-wasm-revectorize`, which fuses two WebAssembly vectors into one of
 * 256 bits, on x86-64 with AVX2; otherwise 128. Code for the one is slow in the other. V8 has the flag from Node 24 on,
 * and Node refuses to start with an unknown flag; workers inherit the flags of their parents.
 *
 * @param flags to inspect; of several that contradict each other V8 takes the last
 */
export function vectorBits(flags: readonly string[] = host.process?.execArgv ?? []): VectorBits {
  let bits: VectorBits = 128;
  for (const flag of flags) {
    const found = /^--?(no-?)?experimental-wasm-revectorize$/.exec(flag.replaceAll('_', '-'));
    if (found) bits = found[1] === undefined ? 256 : 128;
  }
  return bits;
}
