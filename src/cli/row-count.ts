import { Table, type RecordBatch } from 'apache-arrow';
import { topRows, type EdgeRow } from './summary.ts';

/** Passes batches of an edge table through and records what a summary reports. */
export class RowCount implements AsyncIterable<RecordBatch> {
  count = 0;
  readonly top: EdgeRow[] = [];
  /** Of the schema, once a batch has passed */
  metadata: ReadonlyMap<string, string> = new Map();
  readonly #batches: AsyncIterable<RecordBatch>;
  readonly #onFirst: () => void;

  constructor(batches: AsyncIterable<RecordBatch>, onFirst: () => void) {
    this.#batches = batches;
    this.#onFirst = onFirst;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<RecordBatch, void, undefined> {
    let first = true;
    for await (const batch of this.#batches) {
      if (first) this.#onFirst();
      first = false;
      this.metadata = batch.schema.metadata;
      this.count += batch.numRows;
      this.top.push(...topRows(new Table([batch]), TOP_ROWS - this.top.length));
      yield batch;
    }
  }
}

/** Rows in the summary */
const TOP_ROWS = 10;
