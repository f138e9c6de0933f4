import { connect } from '../worker/rpc.ts';
import type { FitApi, FitEvents } from '../worker/protocol.ts';
import type { TableApi } from '../worker/table-protocol.ts';
import { isCurrent, isCurrentScoring, placement, progress, repeatShare, resampled } from './run.ts';

const events: FitEvents = {
  progress: (value) => {
    if (isCurrent(value.run)) progress.value = value;
  },
  placement: (value) => {
    placement.value = value;
  },
  repeat: ({ run, share }) => {
    if (isCurrent(run)) repeatShare.value = share;
  },
  resample: (value) => {
    if (isCurrentScoring(value.turn)) resampled.value = value;
  },
};

/** Two threads: a table can be sorted, filtered and drawn while the other one fits. */
export const fitWorker = connect<FitApi>(
  new Worker(new URL('../worker/fit.worker.ts', import.meta.url), { type: 'module', name: 'fit' }),
  (name, value) => {
    events[name as keyof FitEvents](value as never);
  },
);

export const tableWorker = connect<TableApi>(
  new Worker(new URL('../worker/table.worker.ts', import.meta.url), { type: 'module', name: 'table' }),
);
