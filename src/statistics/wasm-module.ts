import type { VectorBits } from './vector-bits.ts';
import { MagnitudeEdgeError } from '../errors.ts';

const PAGE = 65_536;

/** A compiled module, and whether it uses relaxed SIMD. */
export interface CompiledModule {
  readonly module: WebAssembly.Module;
  readonly fused: boolean;
}

/**
 * Compiles a module of some hundred bytes synchronously, which every engine allows on every thread, with the widest
 * instructions that the engine knows.
 *
 * @param encode returns the module with fused multiply-add (relaxed SIMD), or without
 * @returns undefined without WebAssembly SIMD, or if a content security policy without `'wasm-unsafe-eval'` forbids it
 */
export function compileWidest(
  encode: (fused: boolean) => Uint8Array<ArrayBuffer>,
): CompiledModule | undefined {
  if (typeof WebAssembly === 'undefined') return undefined;
  for (const fused of [true, false]) {
    const bytes = encode(fused);
    try {
      if (WebAssembly.validate(bytes)) return { module: new WebAssembly.Module(bytes), fused };
    } catch {
      // A content security policy refuses with a CompileError; other kernels serve such pages.
    }
  }
  return undefined;
}

/** What the products of a module run on, for diagnostics. @param bits of its vectors */
export function describeModule({ fused }: CompiledModule, bits: VectorBits): string {
  const vectors = bits === 128 ? '' : `, in vectors of ${bits} bits`;
  return `WebAssembly SIMD${fused ? ' with fused products' : ''}${vectors}`;
}

/** Instantiates a module over a new memory of at least `bytes` bytes. @throws `out-of-memory` */
export function instantiate(
  { module }: CompiledModule,
  bytes: number,
): { readonly exports: WebAssembly.Exports; readonly buffer: ArrayBuffer } {
  const memory = allocate(bytes);
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  return { exports, buffer: memory.buffer };
}

function allocate(bytes: number): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial: Math.ceil(bytes / PAGE) });
  } catch (cause) {
    throw new MagnitudeEdgeError(
      'out-of-memory',
      `Products or scores need ${bytes} bytes of WebAssembly memory, which could not be allocated.`,
      { details: { bytes }, cause },
    );
  }
}
