const REVECTORIZE = '--experimental-wasm-revectorize';

/**
 * Sets flags of V8: the process's, so this is the command's to do and not the library's. To be called before any
 * WebAssembly is compiled; workers started afterwards have them as well.
 */
export function setV8Flags(): void {
  const { setFlagsFromString } = process.getBuiltinModule('node:v8');
  // Relaxed SIMD is finished in 11.3, of Node 20, but behind a flag. Fused products make the CPU engine a quarter faster.
  if (process.versions.v8.startsWith('11.3.')) setFlagsFromString('--experimental-wasm-relaxed-simd');
  // Large arrays, which V8 counts as it collects garbage but does not scan, start many collections of a small heap: marked at
  // once, they take a few milliseconds each, and a twentieth of the CPU time of a large table less than in steps.
  setFlagsFromString('--no-incremental-marking');
  // The runtime's 14 MB of WebAssembly are not looked through before any of it runs, but function by function.
  setFlagsFromString('--wasm-lazy-validation');
  // How much a function of WebAssembly runs before it is optimized. By default half of the CPU time until the first batch
  // goes to optimizing code of onnxruntime's that prepares a session and never runs again.
  setFlagsFromString('--wasm-tiering-budget=200000000');
  // Vectors of 256 bits, with which products take about half the time: tried in 13.6, of Node 24.
  const asked = process.execArgv.some((flag) => flag.replaceAll('_', '-').includes('wasm-revectorize'));
  if (process.versions.v8.startsWith('13.6.') && process.arch === 'x64' && !asked) {
    setFlagsFromString(REVECTORIZE);
    // As if the process had been started with it: the engine asks there, and so do its workers.
    process.execArgv.push(REVECTORIZE);
  }
}
