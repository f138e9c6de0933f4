import type { GraphRecorder } from '../graph-recorder.ts';
import { nodeKey } from '../node-key.ts';
import { identityMatrix, type SparseMatrix } from './sparse-matrix.ts';
import { ownRows, viewThrough, type StaticView, type Step } from './static-view.ts';

/** A view, and the index of its base among the bases of the inputs' views. */
interface Remembered {
  readonly view: StaticView;
  readonly base: number | undefined;
}

/**
 * Memoized views. Blocks of a network repeat each other: with the same constants, shapes and views of its inputs, a
 * node has the same matrix whatever its values are called.
 */
export class ViewMemo {
  readonly #found = new Map<string, Remembered | undefined>();
  readonly #identities = new Map<number, SparseMatrix>();
  readonly #numbers = new WeakMap<object, number>();
  #numbered = 0;

  /** The view of a value as itself; views of the same size share one matrix. */
  own(graph: GraphRecorder, value: string): StaticView | undefined {
    const rows = ownRows(graph, value);
    if (rows === undefined) return undefined;
    let matrix = this.#identities.get(rows);
    if (matrix === undefined) this.#identities.set(rows, (matrix = identityMatrix(rows)));
    return { base: value, matrix, batchAxis: 0, indexed: false };
  }

  /** Memoized {@link viewThrough}. */
  through(step: Step): StaticView | undefined {
    const { graph, node, output, view } = step;
    const views = node.inputs.map((_, index) => view(index));
    const bases = [...new Set(views.map((input) => input?.base))];
    const places = new Map(bases.map((base, place) => [base, place]));
    const inputs = node.inputs.map((name, index) => this.#described(graph, name, views[index], places));
    const named = nodeKey(node.opType, node.domain, inputs, node.attributes, node.outputs.length);
    if (named === undefined) return viewThrough(step);
    const key = JSON.stringify([output, node.outputs.map((name) => graph.shape(name)), named]);
    if (!this.#found.has(key)) {
      const found = viewThrough(step);
      this.#found.set(key, found && { view: found, base: places.get(found.base) });
    }
    const known = this.#found.get(key);
    return known && { ...known.view, base: bases[known.base ?? -1] };
  }

  /** All that a rule can see of an input, except the names of values. */
  #described(
    graph: GraphRecorder,
    name: string,
    view: StaticView | undefined,
    places: ReadonlyMap<string | undefined, number>,
  ): string {
    const constant = name === '' ? undefined : graph.constantValue(name);
    return JSON.stringify([
      graph.shape(name),
      constant ? this.#number(constant) : (graph.contents(name) ?? 'unknown'),
      view && [this.#number(view.matrix), view.batchAxis, view.indexed, places.get(view.base)],
    ]);
  }

  #number(thing: object): number {
    let number = this.#numbers.get(thing);
    if (number === undefined) this.#numbers.set(thing, (number = this.#numbered++));
    return number;
  }
}
