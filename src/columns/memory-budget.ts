import { MagnitudeEdgeError } from '../errors.ts';

/** Bytes that reading a source may take unless said otherwise: half of what a browser tab commonly gets. */
export const DEFAULT_MEMORY_BUDGET = 2 ** 31;

/**
 * What a file may become in memory. A size that only the file claims is asked for here before anything of it is allocated
 * or counted through.
 */
export class MemoryBudget {
  /** Bytes in all */
  readonly bytes: number;
  #left: number;

  /** @throws MagnitudeEdgeError `invalid-argument` for anything but a positive number */
  constructor(bytes = DEFAULT_MEMORY_BUDGET) {
    checkMemoryBudget(bytes);
    this.bytes = bytes;
    this.#left = bytes;
  }

  /** Bytes that have not been taken */
  get left(): number {
    return this.#left;
  }

  /** A budget of what is left now, for something that is let go of before the next. */
  again(): MemoryBudget {
    const again = new MemoryBudget(this.bytes);
    again.#left = this.#left;
    return again;
  }

  /**
   * Takes bytes from the budget.
   *
   * @param what they are for, as in '20000000 rows of 24 columns'
   * @param source what messages call the file
   * @throws MagnitudeEdgeError `out-of-memory` with the figures
   */
  take(bytes: number, what: string, source: string): void {
    // Written so that NaN is refused as well.
    if (bytes <= this.#left) {
      this.#left -= bytes;
      return;
    }
    const left = this.#left < this.bytes ? `, of which ${this.#left} are left` : '';
    throw new MagnitudeEdgeError(
      'out-of-memory',
      `${source}: ${what} would take ${bytes} bytes of memory, and the budget is ${this.bytes}${left} (memoryBudget: BYTES gives more).`,
      { details: { source, bytes, budget: this.bytes, option: 'memoryBudget' } },
    );
  }
}

/** Takes what columns of eight bytes a row need: no column that is read takes more. */
export function takeColumns(budget: MemoryBudget, rows: number, columns: number, source: string): void {
  budget.take(8 * rows * columns, `${rows} rows of ${columns} columns`, source);
}

/** @throws MagnitudeEdgeError `invalid-argument` for anything but a positive number of bytes */
export function checkMemoryBudget(bytes: number | undefined): void {
  if (bytes === undefined || bytes > 0) return;
  throw new MagnitudeEdgeError(
    'invalid-argument',
    `memoryBudget is ${bytes}, a positive number of bytes was expected.`,
    { details: { option: 'memoryBudget', found: bytes } },
  );
}
