/** Node tells the flags it was started with. */
const host: { readonly process?: Partial<Pick<NodeJS.Process, 'execArgv'>> } = globalThis;

/** Bits of the vectors that the engine works in. */
export type VectorBits = 128 | 256;

/**
 * 256 where Node was started with V8's `--experimental-wasm-revectorize`, which makes one 256-bit vector of two that
 * WebAssembly has, on x86-64 with AVX2; 128 elsewhere. Code for the one is slow in the other. V8 has the flag from Node
 * 24 on and Node starts with no flag that it does not know; workers have those of their parents.
 *
 * @param flags those that count; of several that contradict each other V8 takes the last
 */
export function vectorBits(flags: readonly string[] = host.process?.execArgv ?? []): VectorBits {
  let bits: VectorBits = 128;
  for (const flag of flags) {
    const found = /^--?(no-?)?experimental-wasm-revectorize$/.exec(flag.replaceAll('_', '-'));
    if (found) bits = found[1] === undefined ? 256 : 128;
  }
  return bits;
}
