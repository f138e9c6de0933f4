import direct from '../../../../shaders/products-direct.wgsl?raw';
import tiled from '../../../../shaders/products-shared.wgsl?raw';
import dispatch from '../../../../shaders/shared/dispatch.wgsl?raw';
import extended from '../../../../shaders/shared/extended.wgsl?raw';
import multiplyDot from '../../../../shaders/shared/multiply-dot.wgsl?raw';
import multiplyExact from '../../../../shaders/shared/multiply-exact.wgsl?raw';
import multiplyFast from '../../../../shaders/shared/multiply-fast.wgsl?raw';
import products from '../../../../shaders/shared/products.wgsl?raw';
import refusal from '../../../../shaders/shared/refusal.wgsl?raw';
import type { KernelConstants, KernelDefinition } from '../../../gpu/kernel.ts';
import { INTEGER_DOT } from '../../../gpu/self-test.ts';
import { WORKGROUP, type Precision } from './statistics-kernels.ts';

/** How values are multiplied: in float32, as digits in float32, or as digits by integer dot products. */
type Arithmetic = 'fast' | 'exact' | 'dot';

const arithmetics = { fast: multiplyFast, exact: multiplyExact, dot: multiplyDot } as const;

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

function define(label: string, walk: string, arithmetic: Arithmetic) {
  const required = arithmetic === 'dot' ? [`requires ${INTEGER_DOT};`] : [];
  const sources = [...required, extended, dispatch, refusal, products, arithmetics[arithmetic], walk];
  return { label, sources, ...productsInterface } as const satisfies KernelDefinition;
}

/** Centred values -> sums of products: a way through the tiles, and an arithmetic. */
export const productKernels = {
  directFast: define('products-direct.wgsl', direct, 'fast'),
  directExact: define('products-direct.wgsl', direct, 'exact'),
  sharedFast: define('products-shared.wgsl', tiled, 'fast'),
  sharedExact: define('products-shared.wgsl', tiled, 'exact'),
  sharedDot: define('products-shared.wgsl', tiled, 'dot'),
} as const;

/** One way of forming products; all give the same sums, up to rounding. */
export interface Configuration {
  readonly name: string;
  readonly precision: Precision;
  readonly kernel: (typeof productKernels)[keyof typeof productKernels];
  readonly constants: KernelConstants;
  /** Columns of a tile of sums, each way */
  readonly span: number;
  /** Tiles that a workgroup computes */
  readonly tilesPerWorkgroup: number;
  /** Whether the device must pass the self-test of integer dot products */
  readonly integerDot: boolean;
}

/** Tiles of a thread's own; see shaders/products-direct.wgsl. */
function directTiles(precision: Precision, span: 4 | 8): Configuration {
  return {
    name: `${precision}, ${span}x${span} a thread`,
    precision,
    kernel: precision === 'fast' ? productKernels.directFast : productKernels.directExact,
    constants: { WORKGROUP, WIDE: Number(span === 8) },
    span,
    tilesPerWorkgroup: WORKGROUP,
    integerDot: false,
  };
}

/**
 * Tiles of a workgroup of `side` x `side` threads; see shaders/products-shared.wgsl.
 *
 * @param block columns of a thread, each way
 * @param depth operands of a column group held at a time, so that both tiles stay within 16 KiB
 */
function sharedTiles(arithmetic: Arithmetic, side: number, block: 4 | 8, depth: number): Configuration {
  const kernels = {
    fast: productKernels.sharedFast,
    exact: productKernels.sharedExact,
    dot: productKernels.sharedDot,
  } as const;
  const span = side * block;
  const by = arithmetic === 'dot' ? 'exact by integer dot products' : arithmetic;
  return {
    name: `${by}, ${span}x${span} shared, ${block}x${block} a thread`,
    precision: arithmetic === 'fast' ? 'fast' : 'exact',
    kernel: kernels[arithmetic],
    constants: { SIDE: side, WIDE: Number(block === 8), DEPTH: depth },
    span,
    tilesPerWorkgroup: 1,
    integerDot: arithmetic === 'dot',
  };
}

/** All there are; the first of a precision is what a software adapter takes, the second what a GPU takes untimed. */
export const configurations: readonly Configuration[] = [
  directTiles('fast', 8),
  sharedTiles('fast', 16, 4, 16),
  sharedTiles('fast', 8, 8, 16),
  sharedTiles('fast', 16, 8, 8),
  directTiles('fast', 4),
  directTiles('exact', 4),
  sharedTiles('exact', 16, 4, 8),
  sharedTiles('exact', 8, 4, 8),
  sharedTiles('dot', 16, 4, 4),
  sharedTiles('dot', 8, 4, 4),
];
