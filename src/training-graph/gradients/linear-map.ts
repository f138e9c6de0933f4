import { sparseMap } from '../sparse/product.ts';
import { transposeMatrix } from '../sparse/sparse-matrix.ts';
import type { GradientRule } from './rule.ts';

/** The tape node that represents a constant linear map; never written to a file. */
export const LINEAR_MAP = { opType: 'LinearMap', domain: 'magnitude-edge' } as const;

/** The gradient of a product with a constant matrix is the product with its transpose. */
export const linearMapRule: GradientRule = {
  apply: ({ graph, gradient, node, input }) => {
    const { matrix, batchAxis } = graph.linearMaps.get(node)!;
    const rank = graph.rank(gradient)!;
    const others = Array.from({ length: rank }, (_, axis) => axis).filter((axis) => axis !== batchAxis);
    const batchFirst = graph.transpose(gradient, [batchAxis, ...others]);
    return [sparseMap(graph, batchFirst, transposeMatrix(matrix), graph.shape(input(0))!, 0)];
  },
};
