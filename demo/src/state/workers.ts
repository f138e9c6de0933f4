import { connect } from '../worker/rpc.ts';
import type { FitApi, Progress } from '../worker/protocol.ts';
import type { TableApi } from '../worker/table-protocol.ts';
import { progress } from './run.ts';

/** Two threads: a table can be sorted, filtered and drawn while the other one fits. */
export const fitWorker = connect<FitApi>(
  new Worker(new URL('../worker/fit.worker.ts', import.meta.url), { type: 'module', name: 'fit' }),
  (name, value) => {
    if (name === 'progress') progress.value = value as Progress;
  },
);

export const tableWorker = connect<TableApi>(
  new Worker(new URL('../worker/table.worker.ts', import.meta.url), { type: 'module', name: 'table' }),
);
