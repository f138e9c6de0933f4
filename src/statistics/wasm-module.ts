import type { VectorBits } from './vector-bits.ts';
import { MagnitudeEdgeError } from '../errors.ts';

const PAGE = 65_536;

/** A compiled module, and whether it uses relaxed SIMD. */
export interface CompiledModule {
  readonly module: WebAssembly.Module;
  readonly fused: boolean;
}

/**
 * Compiles a module of some hundred bytes on the spot, which every engine allows on every thread, with the widest
 * instructions that the engine knows.
 *
 * @param encode gives the module with fused multiply-add (relaxed SIMD), or without
 * @returns undefined where there is no WebAssembly SIMD, or where a content security policy without
 *   `'wasm-unsafe-eval'` forbids it
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
      // A content security policy refuses with a CompileError; there are other kernels for such pages.
    }
  }
  return undefined;
}

/** What products of a module run on, for diagnostics. @param bits of its vectors */
export function describeModule({ fused }: CompiledModule, bits: VectorBits): string {
  const vectors = bits === 128 ? '' : `, in vectors of ${bits} bits`;
  return `WebAssembly SIMD${fused ? ' with fused products' : ''}${vectors}`;
}

/** A module's functions, over a new memory of so many bytes. @throws `out-of-memory` */
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
      `Products or scores need ${bytes} bytes of WebAssembly memory and got none.`,
      { details: { bytes }, cause },
    );
  }
}
