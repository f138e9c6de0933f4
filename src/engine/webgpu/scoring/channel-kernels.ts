import blockNorms from '../../../../shaders/channel-block-norms.wgsl?raw';
import cholesky from '../../../../shaders/channel-cholesky.wgsl?raw';
import columns from '../../../../shaders/channel-columns.wgsl?raw';
import eliminate from '../../../../shaders/channel-eliminate.wgsl?raw';
import products from '../../../../shaders/channel-products.wgsl?raw';
import residual from '../../../../shaders/channel-residual.wgsl?raw';
import system from '../../../../shaders/channel-system.wgsl?raw';
import dispatch from '../../../../shaders/shared/dispatch.wgsl?raw';
import extendedFour from '../../../../shaders/shared/extended-four.wgsl?raw';
import extended from '../../../../shaders/shared/extended.wgsl?raw';
import type { GpuContext } from '../../../gpu/device.ts';
import { compileKernel, type KernelDefinition } from '../../../gpu/kernel.ts';

/** Side of the tile that a workgroup forms, and of a factor's blocks; `TILE`, and `BLOCK` of channel-cholesky.wgsl. */
export const TILE = 64;
/** Threads per workgroup of the kernels with one thread per element */
export const WORKGROUP = 64;

/** Channel values -> F or U. */
export const columnsKernel = {
  label: 'channel-columns.wgsl',
  sources: [extended, dispatch, columns],
  params: { rows: 'u32', columns: 'u32', width: 'u32', first_row: 'u32', ordered: 'u32', zero: 'u32' },
  buffers: { values: 'read', channels: 'read', scaling: 'read', order: 'read', out: 'read-write' },
} as const satisfies KernelDefinition;

/** A'B of row-major matrices, or AB', or A (I + B) of a symmetric A; see `Product`. */
export const productsKernel = {
  label: 'channel-products.wgsl',
  sources: [extended, products],
  params: {
    depth: 'u32',
    rows: 'u32',
    columns: 'u32',
    a_first: 'u32',
    a_stride: 'u32',
    b_first: 'u32',
    b_stride: 'u32',
    out_stride: 'u32',
    first_line: 'u32',
    symmetric: 'u32',
    lower: 'u32',
    transposed: 'u32',
    plus_a: 'u32',
    words: 'u32',
    zero: 'u32',
  },
  buffers: { a: 'read', b: 'read', sums: 'read-write' },
} as const satisfies KernelDefinition;

/** Sums S -> [S/n + lambda I | I]. */
export const systemKernel = {
  label: 'channel-system.wgsl',
  sources: [dispatch, system],
  params: { size: 'u32', rows: 'u32', lambda: 'f32', inverse_count: 'f32' },
  buffers: { sums: 'read', augmented: 'read-write' },
} as const satisfies KernelDefinition;

/** A block on the diagonal -> the inverse of its Cholesky factor. */
export const choleskyKernel = {
  label: 'channel-cholesky.wgsl',
  sources: [cholesky],
  params: { first: 'u32', stride: 'u32' },
  buffers: { augmented: 'read-write' },
} as const satisfies KernelDefinition;

/** One elimination step: finishes the rows of that block, or eliminates them from the rows below. */
export const eliminateKernel = {
  label: 'channel-eliminate.wgsl',
  sources: [eliminate],
  params: { block: 'u32', stride: 'u32', first_row: 'u32', first_column: 'u32', finish: 'u32' },
  buffers: { augmented: 'read-write' },
} as const satisfies KernelDefinition;

/** Sums S and an approximate inverse X of their system -> I - (S/n + lambda I) X. */
export const residualKernel = {
  label: 'channel-residual.wgsl',
  sources: [extended, extendedFour, residual],
  params: {
    size: 'u32',
    first_line: 'u32',
    lambda_high: 'f32',
    lambda_low: 'f32',
    inverse_count_high: 'f32',
    inverse_count_low: 'f32',
    zero: 'u32',
  },
  buffers: { sums: 'read', inverse: 'read', residual: 'read-write' },
} as const satisfies KernelDefinition;

/** Blocks of coefficients -> squared norms over the channels of the target. */
export const blockNormsKernel = {
  label: 'channel-block-norms.wgsl',
  sources: [dispatch, blockNorms],
  params: {
    sources: 'u32',
    targets: 'u32',
    first_target: 'u32',
    nodes: 'u32',
    stride: 'u32',
    factor: 'f32',
  },
  buffers: {
    source_starts: 'read',
    target_starts: 'read',
    coefficients: 'read',
    norms: 'read-write',
  },
} as const satisfies KernelDefinition;

/** Compiled kernels of channel regressions. */
export type ChannelKernels = Awaited<ReturnType<typeof compileChannelKernels>>;

/** @throws `gpu-validation`, `device-lost` */
export async function compileChannelKernels(context: GpuContext) {
  const [columns, products, system, cholesky, eliminate, residual, norms] = await Promise.all([
    compileKernel(context, columnsKernel, { WORKGROUP }),
    compileKernel(context, productsKernel),
    compileKernel(context, systemKernel, { WORKGROUP }),
    compileKernel(context, choleskyKernel),
    compileKernel(context, eliminateKernel),
    compileKernel(context, residualKernel),
    compileKernel(context, blockNormsKernel, { WORKGROUP }),
  ]);
  return { columns, products, system, cholesky, eliminate, residual, norms };
}
