import type { MixedBlocks } from '../../statistics/mixed-blocks.ts';
import { addGramOfRows, gramBytes, gramScratch } from './gram.ts';
import { matrixBytes, newMatrix } from './panels.ts';
import { invertRidge, newSystem, symmetricDoubles, systemBytes } from './ridge-inverse.ts';
import { ObservationRows } from './rows.ts';
import { addGramOfSums, hasSums, productsOfSums } from './sums.ts';
import type { ChannelSystem } from './system.ts';
import { addMultiple, subtractWeighted, timesRows } from './times-rows.ts';
import { cheaperForm, type RidgeForm } from './ridge-form.ts';

/** Observations that are standardised together. */
const PIECE = 64;

/**
 * A ridge regression on the source channels of a system, `(F'F/n + lambda I)^-1 F'V/n`, for a few columns V at a time:
 * the system is inverted once; the inverse and F are held, `8 min(n, K)^2 + 4 n K` bytes.
 */
export class RidgeSolver {
  readonly system: ChannelSystem;
  readonly #form: RidgeForm;
  /** Of observations for `dual`, of source columns for `primal` */
  readonly #inverse: Float64Array;
  /** F', row-major `[source columns, observations]`; undefined if there are only sums */
  readonly #transposed: Float32Array | undefined;

  private constructor(
    system: ChannelSystem,
    form: RidgeForm,
    inverse: Float64Array,
    transposed: Float32Array | undefined,
  ) {
    this.system = system;
    this.#form = form;
    this.#inverse = inverse;
    this.#transposed = transposed;
  }

  /**
   * @param memory scratch memory, free again afterwards
   * @throws `out-of-memory` or RangeError if memory for the inverse runs out
   */
  static *create(memory: MixedBlocks, system: ChannelSystem): Generator<undefined, RidgeSolver, undefined> {
    const { observations: n, sources, lambda } = system;
    const columns = sources.channels.length;
    const form = cheaperForm(system);
    const size = form === 'dual' ? n : columns;
    const other = form === 'dual' ? columns : n;
    const transposed = hasSums(system) ? undefined : yield* transposedSources(system);
    memory.clear(
      systemBytes(memory, size) +
        (transposed === undefined ? 0 : matrixBytes(size, other) + gramBytes(memory, size)),
    );
    const matrix = newSystem(memory, size);
    if (transposed === undefined) {
      for (const segment of system.segments) {
        addGramOfSums(system, segment, matrix);
        yield;
      }
    } else {
      const rows = newMatrix(memory, size, other);
      if (form === 'primal') rows.values.set(transposed);
      else new ObservationRows(system).standardized([0, n], rows);
      yield* addGramOfRows(memory, gramScratch(memory, size), rows, other, matrix);
    }
    yield* invertRidge(memory, matrix, size, n, lambda);
    return new RidgeSolver(system, form, symmetricDoubles(matrix, size), transposed);
  }

  /** B_j': the regression of a target's channels. @returns row-major `[target columns of the node, source columns]` */
  *ofTarget(node: number): Generator<undefined, Float64Array, undefined> {
    const { targets, sources, observations: n } = this.system;
    const range = [targets.starts[node]!, targets.starts[node + 1]!] as const;
    const count = range[1] - range[0];
    const f = this.#transposed;
    if (f === undefined) {
      const products = { values: new Float32Array(sources.channels.length * count), stride: count };
      productsOfSums(this.system, range, products);
      return yield* this.#throughInverse(columnsOf(products.values, count), count);
    }
    const u = { values: new Float32Array(n * count), stride: count };
    new ObservationRows(this.system).scaledTargets([0, n], range, undefined, u);
    return yield* this.#regression(f, columnsOf(u.values, count), count);
  }

  /**
   * The regression of a source's own channels: with A the inverse and E the node's columns of I, `(I - lambda A) E`.
   *
   * @returns its transpose, row-major `[source columns of the node, source columns]`
   */
  *ofSource(node: number): Generator<undefined, Float64Array, undefined> {
    const { sources, observations: n, lambda } = this.system;
    const [first, end] = [sources.starts[node]!, sources.starts[node + 1]!];
    const f = this.#transposed;
    if (f !== undefined) {
      const own = Float64Array.from(f.subarray(first * n, end * n));
      return yield* this.#regression(f, own, end - first);
    }
    const size = sources.channels.length;
    const own = this.#inverse.slice(first * size, end * size);
    for (let at = 0; at < own.length; at++) own[at]! *= -lambda;
    for (let c = first; c < end; c++) own[(c - first) * size + c]! += 1;
    return own;
  }

  /**
   * Regression of columns V, `[count, observations]`. The products in the inverted system are in float32. `dual`
   * weights observations, and the rounding changes them in proportion; in `primal`, conditioning on nearly dependent
   * channels would amplify it, so a step of iterative refinement, with the residual of V in float64, removes it.
   */
  *#regression(
    f: Float32Array,
    v: Float64Array,
    count: number,
  ): Generator<undefined, Float64Array, undefined> {
    const { observations: n, lambda } = this.system;
    if (this.#form === 'dual') {
      const weighted = yield* timesRows(this.#inverse, n, v, count);
      return yield* timesRows(f, n, weighted, count, 1 / n);
    }
    const b = yield* this.#throughInverse(yield* timesRows(f, n, v, count), count);
    const rest = v.slice();
    yield* subtractWeighted(f, n, b, rest);
    const products = yield* timesRows(f, n, rest, count);
    addMultiple(products, 0, b, -lambda * n);
    addMultiple(b, 0, yield* this.#throughInverse(products, count), 1);
    return b;
  }

  /** `(F'F/n + lambda I)^-1 P/n` of products P = F'V */
  #throughInverse(products: Float64Array, count: number): Generator<undefined, Float64Array, undefined> {
    const { sources, observations: n } = this.system;
    return timesRows(this.#inverse, sources.channels.length, products, count, 1 / n);
  }
}

/** F' in float32, the precision of F in both ways. */
function* transposedSources(system: ChannelSystem): Generator<undefined, Float32Array, undefined> {
  const { observations: n, sources } = system;
  const size = sources.channels.length;
  const rows = new ObservationRows(system);
  const piece = { values: new Float32Array(PIECE * size), stride: size };
  const transposed = new Float32Array(size * n);
  for (let first = 0; first < n; first += PIECE) {
    const count = Math.min(PIECE, n - first);
    rows.standardized([first, first + count], piece);
    for (let c = 0; c < size; c++) {
      for (let row = 0; row < count; row++) transposed[c * n + first + row] = piece.values[row * size + c]!;
    }
    yield;
  }
  return transposed;
}

/** The transpose `[count, rows]` of `[rows, count]`. */
function columnsOf(values: Float32Array, count: number): Float64Array {
  const rows = values.length / Math.max(count, 1);
  return Float64Array.from(values, (_, at) => values[(at % rows) * count + Math.floor(at / rows)]!);
}
