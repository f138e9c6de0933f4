import type { OnnxNode } from '../../onnx/graph.ts';
import { valuesRead } from '../../onnx/subgraphs.ts';
import type { GraphRecorder } from '../graph-recorder.ts';
import { productSize } from './product.ts';
import { entryCount } from './sparse-matrix.ts';
import type { StaticView } from './static-view.ts';
import { ViewMemo } from './view-memo.ts';

/**
 * Finds the constant linear maps of a graph: chains of gathers, products with constants, sums and shape changes that
 * lead, sample by sample, from one value to another. Returns the view of every value that ends such a chain and is used
 * outside it; the chain can then be computed as one product with a sparse matrix, and differentiated as the product
 * with its transpose.
 *
 * Chains do not pass through values in `kept`: these must exist, or gradients are requested or stopped at them.
 * @param size number of elements of the model's constants: maps that would make the graph much larger are left out
 */
export function findLinearMaps(
  graph: GraphRecorder,
  nodes: readonly OnnxNode[],
  kept: ReadonlySet<string>,
  size: number,
): ReadonlyMap<string, StaticView> {
  return ofBoundedSize(linearMaps(graph, nodes, kept, size), size);
}

/** Constant elements that maps may add: per element of the model's own constants, and in any model. */
const GROWTH = 8;
const ALWAYS = 1 << 16;

/**
 * A matrix stores what index arithmetic only describes (7 x 7 patches of an image: 49 entries for every pixel), and its
 * transpose as much again. If that far exceeds the model's own constants, the model's nodes are kept.
 */
function ofBoundedSize(maps: ReadonlyMap<string, StaticView>, size: number): ReadonlyMap<string, StaticView> {
  let remaining = ALWAYS + GROWTH * size;
  const bounded = new Map<string, StaticView>();
  for (const [value, view] of maps) {
    const added = productSize(view.matrix);
    if (added > remaining) continue;
    remaining -= added;
    bounded.set(value, view);
  }
  return bounded;
}

function linearMaps(
  graph: GraphRecorder,
  nodes: readonly OnnxNode[],
  kept: ReadonlySet<string>,
  size: number,
): ReadonlyMap<string, StaticView> {
  const memo = new ViewMemo();
  const first = sweep(graph, nodes, kept, { size, memo });
  const found = ends(first, nodes, kept);
  const passedThrough = nodes.some(
    ({ inputs, outputs }) =>
      inputs.some((input) => found.has(input)) && outputs.some((output) => first.views.has(output)),
  );
  if (!passedThrough) return found;
  // A value that is needed elsewhere is computed once, and chains that continue from it start there.
  const boundaries = new Set([...kept, ...found.keys()]);
  return ends(sweep(graph, nodes, boundaries, { size, memo }), nodes, boundaries);
}

interface Sweep {
  /** Views of values through the nodes that produce them. */
  readonly views: ReadonlyMap<string, StaticView>;
  /** Values at which a chain was cut, since passing through them would have repeated work. */
  readonly cut: ReadonlySet<string>;
}

/** Bound on the elements per sample processed for all views: per element of the model's constants, and in any model. */
const WORK = 256;
const WORK_ALWAYS = 1 << 26;

function sweep(
  graph: GraphRecorder,
  nodes: readonly OnnxNode[],
  boundaries: ReadonlySet<string>,
  { size, memo }: { readonly size: number; readonly memo: ViewMemo },
): Sweep {
  const mostRows = ALWAYS + GROWTH * size;
  let work = WORK_ALWAYS + WORK * size;
  const views = new Map<string, StaticView>();
  const own = new Map<string, StaticView | undefined>();
  const cut = new Set<string>();
  const itself = (name: string): StaticView | undefined => {
    if (!own.has(name)) own.set(name, memo.own(graph, name));
    return own.get(name);
  };
  for (const node of nodes) {
    const rows = Math.max(0, ...[...node.inputs, ...node.outputs].map((name) => sampleSize(graph, name)));
    if (rows > mostRows || rows > work) continue;
    node.outputs.forEach((value, output) => {
      const through = (index: number): StaticView | undefined => {
        const name = node.inputs[index] ?? '';
        const known = boundaries.has(name) || cut.has(name) ? undefined : views.get(name);
        return known ?? itself(name);
      };
      let found = memo.through({ graph, node, output, view: through });
      if (found !== undefined && repeatsWork(node, found, through)) {
        node.inputs.forEach((input) => views.has(input) && cut.add(input));
        found = memo.through({ graph, node, output, view: through });
      }
      if (found === undefined) return;
      views.set(value, found);
      work -= rows + entryCount(found.matrix);
    });
  }
  return { views, cut };
}

/** Elements of a value per sample (after its first axis), as far as sizes are known; 0 for constants. */
function sampleSize(graph: GraphRecorder, value: string): number {
  if (graph.constantValue(value) !== undefined) return 0;
  const sizes = graph.shape(value)?.slice(1) ?? [];
  return sizes.reduce<number>((count, size) => (typeof size === 'number' ? count * size : count), 1);
}

/** Whether sums in the inputs' views would be recomputed for each of several copies. */
function repeatsWork(
  node: OnnxNode,
  found: StaticView,
  view: (index: number) => StaticView | undefined,
): boolean {
  const inputs = node.inputs.map((_, index) => view(index)).filter((input) => input !== undefined);
  const before = inputs.reduce((sum, { matrix }) => sum + entryCount(matrix), 0);
  const sums = inputs.some(({ matrix }) => entryCount(matrix) > matrix.rows);
  return sums && entryCount(found.matrix) > before;
}

/** The indexed views of values that are kept, cut at, or read by a node that no view passes through. */
function ends(
  { views, cut }: Sweep,
  nodes: readonly OnnxNode[],
  kept: ReadonlySet<string>,
): Map<string, StaticView> {
  const needed = new Set([...kept, ...cut]);
  for (const node of nodes) {
    if (node.outputs.some((output) => views.has(output))) continue;
    for (const value of valuesRead(node)) needed.add(value);
  }
  return new Map(
    [...views].filter(
      ([value, view]) => needed.has(value) && view.indexed && view.base !== undefined && !picksFew(view),
    ),
  );
}

/** A few elements out of very many: the transpose would be nearly all zeros, and a scatter is faster. */
function picksFew({ matrix }: StaticView): boolean {
  return matrix.columns > 1 << 15 && matrix.columns > 16 * matrix.rows;
}
