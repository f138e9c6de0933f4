import direct from '../../../../shaders/products-direct.wgsl?raw';
import tiled from '../../../../shaders/products-shared.wgsl?raw';
import dispatch from '../../../../shaders/shared/dispatch.wgsl?raw';
import extended from '../../../../shaders/shared/extended.wgsl?raw';
import multiplyExact from '../../../../shaders/shared/multiply-exact.wgsl?raw';
import multiplyFast from '../../../../shaders/shared/multiply-fast.wgsl?raw';
import products from '../../../../shaders/shared/products.wgsl?raw';
import refusal from '../../../../shaders/shared/refusal.wgsl?raw';
import type { KernelConstants, KernelDefinition } from '../../../gpu/kernel.ts';
import { WORKGROUP, type Precision } from './statistics-kernels.ts';

const productsInterface = {
  params: {
    rows: 'u32',
    first_row: 'u32',
    first_batch: 'u32',
    end_batch: 'u32',
    plane_rows: 'u32',
    left_plane: 'u32',
    left_stride: 'u32',
    right_plane: 'u32',
    stride: 'u32',
    first_line: 'u32',
    end_line: 'u32',
    first_tile: 'u32',
    end_tile: 'u32',
    shape: 'u32',
    zero: 'u32',
  },
  buffers: {
    left_values: 'read',
    right_values: 'read',
    left_exponents: 'read',
    right_exponents: 'read',
    refusal: 'read',
    sums: 'read-write',
  },
} as const;

function define(label: string, walk: string, multiply: string) {
  const sources = [extended, dispatch, refusal, products, multiply, walk];
  return { label, sources, ...productsInterface } as const satisfies KernelDefinition;
}

/** Centred values -> sums of products: a loop over tiles combined with an arithmetic. */
export const productKernels = {
  directFast: define('products-direct.wgsl', direct, multiplyFast),
  directExact: define('products-direct.wgsl', direct, multiplyExact),
  sharedFast: define('products-shared.wgsl', tiled, multiplyFast),
  sharedExact: define('products-shared.wgsl', tiled, multiplyExact),
} as const;

/** Where products read their operands from: storage, or a workgroup's shared memory. */
export type TileMemory = 'storage' | 'shared';

/** How products are formed. All configurations yield the same sums, up to rounding. */
export interface Configuration {
  readonly precision: Precision;
  readonly kernel: (typeof productKernels)[keyof typeof productKernels];
  readonly constants: KernelConstants;
  /** Side of a tile of sums, in columns */
  readonly span: number;
  /** Tiles per workgroup */
  readonly tilesPerWorkgroup: number;
}

/** Side of a workgroup for shared tiles, in threads; each thread has 4 x 4 sums. */
const SIDE = 16;

export const configurations: Readonly<Record<TileMemory, Readonly<Record<Precision, Configuration>>>> = {
  storage: {
    fast: {
      precision: 'fast',
      kernel: productKernels.directFast,
      constants: { WORKGROUP, WIDE: 1 },
      span: 8,
      tilesPerWorkgroup: WORKGROUP,
    },
    exact: {
      precision: 'exact',
      kernel: productKernels.directExact,
      constants: { WORKGROUP, WIDE: 0 },
      span: 4,
      tilesPerWorkgroup: WORKGROUP,
    },
  },
  // Both tiles together stay within 16 KiB, which every device has.
  shared: {
    fast: {
      precision: 'fast',
      kernel: productKernels.sharedFast,
      constants: { SIDE, DEPTH: 16 },
      span: 4 * SIDE,
      tilesPerWorkgroup: 1,
    },
    exact: {
      precision: 'exact',
      kernel: productKernels.sharedExact,
      constants: { SIDE, DEPTH: 8 },
      span: 4 * SIDE,
      tilesPerWorkgroup: 1,
    },
  },
};
