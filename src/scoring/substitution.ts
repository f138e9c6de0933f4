import { compileWidest, instantiate, type CompiledModule } from '../statistics/wasm-module.ts';
import {
  encodeSubstitutionKernel,
  SOURCES_TOGETHER,
  type SubstitutionKernel,
} from './wasm-substitution-kernel.ts';

/** A {@link SubstitutionKernel} and the memory that it works in. */
export interface SubstitutionMemory {
  readonly run: SubstitutionKernel;
  readonly buffer: ArrayBuffer;
}

let compiled: CompiledModule | undefined | 'not yet' = 'not yet';

/** Opens a kernel over a new memory of `bytes` bytes: WebAssembly SIMD if available. @throws `out-of-memory` */
export function openSubstitution(bytes: number): SubstitutionMemory {
  if (compiled === 'not yet') compiled = compileWidest(encodeSubstitutionKernel);
  if (compiled === undefined) return openScalarSubstitution(bytes);
  const { exports, buffer } = instantiate(compiled, bytes);
  return { run: exports.run as SubstitutionKernel, buffer };
}

/** The same in plain JavaScript, for pages without WebAssembly, and as the reference for it. */
export function openScalarSubstitution(bytes: number): SubstitutionMemory {
  const buffer = new ArrayBuffer(Math.ceil(bytes / 8) * 8);
  return { buffer, run: scalarSubstitution(new Float64Array(buffer), new Uint32Array(buffer)) };
}

type Limits = [residualVarianceY: number, share: number, floor: number, least: number, most: number];

function scalarSubstitution(values: Float64Array, addresses: Uint32Array): SubstitutionKernel {
  return (members, size, factor, scratch, variances, covariances, bytes) => {
    const rows = scratch / 8;
    for (let source = 0; source < bytes / 8; source++) {
      let element = factor / 8;
      const whole = values[variances / 8 + source]!;
      let variance = whole;
      let covariance = values[covariances / 8 + source]!;
      for (let k = 0; k < size; k++) {
        let w = values[addresses[members / 4 + k]! / 8 + source]!;
        for (let m = 0; m < k; m++) w -= values[element + m]! * values[rows + m * SOURCES_TOGETHER]!;
        w *= values[element + k]!;
        values[rows + k * SOURCES_TOGETHER] = w;
        variance -= w * w;
        covariance -= w * values[element + k + 1]!;
        element += k + 2;
      }
      const [residualVarianceY, share, floor, least, most] = [0, 1, 2, 3, 4].map(
        (k) => values[element + k]!,
      ) as Limits;
      const score = Math.min(most, Math.max(least, covariance / Math.sqrt(variance * residualVarianceY)));
      values[covariances / 8 + source] = variance > whole * share + floor ? score : NaN;
    }
  };
}
