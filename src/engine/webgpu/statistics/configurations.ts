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

type ProductKernel = Configuration['kernel'];

/** Tiles of a thread's own; see shaders/products-direct.wgsl. */
function fromStorage(precision: Precision, kernel: ProductKernel, span: 4 | 8): Configuration {
  const constants = { WORKGROUP, WIDE: Number(span === 8) };
  return { precision, kernel, constants, span, tilesPerWorkgroup: WORKGROUP };
}

/**
 * Tiles of a workgroup; see shaders/products-shared.wgsl.
 *
 * @param depth rows of both operands held at a time; both tiles must fit in 16 KiB, which every device has
 */
function fromShared(precision: Precision, kernel: ProductKernel, depth: number): Configuration {
  return { precision, kernel, constants: { SIDE, DEPTH: depth }, span: 4 * SIDE, tilesPerWorkgroup: 1 };
}

export const configurations: Readonly<Record<TileMemory, Readonly<Record<Precision, Configuration>>>> = {
  storage: {
    fast: fromStorage('fast', productKernels.directFast, 8),
    exact: fromStorage('exact', productKernels.directExact, 4),
  },
  shared: {
    fast: fromShared('fast', productKernels.sharedFast, 16),
    exact: fromShared('exact', productKernels.sharedExact, 8),
  },
};
