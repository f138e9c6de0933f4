import { availableThreads } from '../available-threads.ts';
import type { WrittenColumn } from '../columns/parquet-pages.ts';
import {
  encodeRowGroup,
  type EncodedRowGroup,
  type RowGroup,
  type WrittenField,
} from '../columns/parquet-writer.ts';
import { WorkerClient } from '../engine/worker-client.ts';
import { SharedArrays, typeOf } from '../scoring/array-pool.ts';
import { onThisThread, type RowGroupEncoder } from '../table/encode-batches.ts';
import type { ScoreSettings } from './score-options.ts';
import type { RowGroupCalls } from './row-group-worker.ts';
import script from './row-group-worker.ts?script';

/** The calling thread makes the rows, and cannot keep more threads busy. */
const MOST_THREADS = 3;

/** A smaller table is written before a thread has started. */
const LEAST_ROWS = 1 << 17;

/** Starts threads for the requested table if they are worth it. @param nodes number of function nodes */
export function rowGroupEncoder(
  { format, partitioned, top = Infinity, maxQ = 1 }: ScoreSettings,
  nodes: number,
): RowGroupEncoder {
  const threads = Math.min(availableThreads() - 1, MOST_THREADS);
  const many = Math.min(top, nodes * nodes) >= LEAST_ROWS && maxQ >= 1;
  if (threads < 1 || !many || format !== 'parquet' || partitioned) return onThisThread;
  try {
    return new RowGroupThreads(threads);
  } catch {
    // The system allows no more threads.
    return onThisThread;
  }
}

/** Row groups per thread: the one being encoded, and the next. */
const DEPTH = 2;

/** Threads that encode row groups; if all are busy, the calling thread encodes. They end with the process. */
class RowGroupThreads implements RowGroupEncoder {
  readonly maxInFlight: number;
  /** Reused shared memory: 600 MB of copies of a large table would keep the garbage collector busy. */
  readonly #memory = new SharedArrays();
  readonly #threads: { readonly client: WorkerClient<RowGroupCalls>; waiting: number }[];

  constructor(threads: number) {
    this.maxInFlight = DEPTH * threads;
    this.#threads = Array.from({ length: threads }, () => ({
      client: new WorkerClient<RowGroupCalls>(script),
      waiting: 0,
    }));
  }

  async encode(fields: readonly WrittenField[], group: RowGroup): Promise<EncodedRowGroup> {
    const alive = this.#threads.filter(({ client }) => client.ended === undefined);
    const [thread] = alive.sort((a, b) => a.waiting - b.waiting);
    if (thread === undefined || thread.waiting === DEPTH) return encodeRowGroup(fields, group);
    const copies: ArrayBufferView[] = [];
    const copy: Copy = (array) => {
      const copied = this.#memory.alloc(typeOf(array), array.length);
      copied.set(array as never);
      copies.push(copied);
      return copied;
    };
    const { columns, rows } = group;
    thread.waiting++;
    try {
      const shared = { columns: columns.map((column) => copyOf(column, copy)), rows };
      const encoded = await thread.client.call('encode', { fields, group: shared });
      this.#memory.free(copies);
      return encoded;
    } catch {
      // The thread failed, and may still hold the copies: they are dropped. Encode here.
      return encodeRowGroup(fields, group);
    } finally {
      thread.waiting--;
    }
  }
}

type Copy = <T extends Exclude<WrittenColumn, { kind: 'strings' }>['values']>(array: T) => T;

function copyOf(column: WrittenColumn, copy: Copy): WrittenColumn {
  if (column.kind === 'strings') {
    const { kind, codes, bytes, offsets } = column;
    return { kind, codes: copy(codes), bytes: copy(bytes), offsets: copy(offsets) };
  }
  const { valid } = column;
  return { ...column, values: copy(column.values), valid: valid && copy(valid) } as WrittenColumn;
}
