import blockNorms from '../../../../shaders/channel-block-norms.wgsl?raw';
import products from '../../../../shaders/channel-products.wgsl?raw';
import dispatch from '../../../../shaders/shared/dispatch.wgsl?raw';
import extended from '../../../../shaders/shared/extended.wgsl?raw';
import type { KernelDefinition } from '../../../gpu/kernel.ts';

/** Rows and columns of sums that a workgroup forms; `TILE` of channel-products.wgsl. */
export const PRODUCT_TILE = 64;
/** Threads of a workgroup of channel-block-norms.wgsl */
export const WORKGROUP = 64;

/** A'B of row-major matrices. Override `WORDS`: 2 for high and low words, 1 for float32. */
export const productsKernel = {
  label: 'channel-products.wgsl',
  sources: [extended, products],
  params: {
    depth: 'u32',
    rows: 'u32',
    columns: 'u32',
    a_stride: 'u32',
    b_stride: 'u32',
    out_stride: 'u32',
    upper: 'u32',
    zero: 'u32',
  },
  buffers: { a: 'read', b: 'read', sums: 'read-write' },
} as const satisfies KernelDefinition;

/** Blocks of coefficients -> squared norms over the channels of the target. */
export const blockNormsKernel = {
  label: 'channel-block-norms.wgsl',
  sources: [dispatch, blockNorms],
  params: { sources: 'u32', targets: 'u32', first_target: 'u32', nodes: 'u32', stride: 'u32' },
  buffers: {
    source_starts: 'read',
    target_starts: 'read',
    coefficients: 'read',
    norms: 'read-write',
  },
} as const satisfies KernelDefinition;
