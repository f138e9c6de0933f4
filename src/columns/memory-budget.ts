import { MagnitudeEdgeError } from '../errors.ts';

/** Default memory for reading a source, in bytes: half of what a browser tab commonly gets. */
export const DEFAULT_MEMORY_BUDGET = 2 ** 31;

/**
 * Limits the memory that a file may take. A size that only the file claims is charged here before anything is allocated
 * or iterated for it.
 */
export class MemoryBudget {
  /** Total bytes */
  readonly bytes: number;
  #remaining: number;

  /** @throws MagnitudeEdgeError `invalid-argument` for anything but a positive number */
  constructor(bytes = DEFAULT_MEMORY_BUDGET) {
    checkMemoryBudget(bytes);
    this.bytes = bytes;
    this.#remaining = bytes;
  }

  /** Bytes not taken yet */
  get remaining(): number {
    return this.#remaining;
  }

  /** A copy with the bytes left now, for data that is released before the next read. */
  copy(): MemoryBudget {
    const copy = new MemoryBudget(this.bytes);
    copy.#remaining = this.#remaining;
    return copy;
  }

  /**
   * Takes bytes from the budget.
   *
   * @param what they are for, as in '20000000 rows of 24 columns'
   * @param source the file's name in error messages
   * @throws MagnitudeEdgeError `out-of-memory` with the figures
   */
  take(bytes: number, what: string, source: string): void {
    // This form rejects NaN as well.
    if (bytes <= this.#remaining) {
      this.#remaining -= bytes;
      return;
    }
    const left = this.#remaining < this.bytes ? `, of which ${this.#remaining} are left` : '';
    throw new MagnitudeEdgeError(
      'out-of-memory',
      `${source}: ${what} would take ${bytes} bytes of memory, but the budget is ${this.bytes}${left} (memoryBudget: BYTES raises it).`,
      { details: { source, bytes, budget: this.bytes, option: 'memoryBudget' } },
    );
  }
}

/** Takes eight bytes per row and column, the most that any column needs. */
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
