import { signal } from '@preact/signals';
import { connect, type Methods, type Refusal } from '../worker/rpc.ts';
import { startFit, startTable } from '../worker/start.ts';
import type { FitApi, FitEvents } from '../worker/protocol.ts';
import type { TableApi, TableQuestions } from '../worker/table-protocol.ts';
import { edgesVersion } from './edges.ts';
import {
  checkpointed,
  download,
  isCurrent,
  isCurrentScoring,
  noteStep,
  placement,
  progress,
  repeatShare,
  resampled,
} from './run.ts';

const events: FitEvents = {
  download: (value) => {
    download.value = value;
  },
  progress: (value) => {
    if (!isCurrent(value.run)) return;
    noteStep(progress.peek(), value);
    progress.value = value;
  },
  placement: (value) => {
    placement.value = value;
  },
  checkpoint: ({ run, samples }) => {
    if (isCurrent(run)) checkpointed.value = samples;
  },
  repeat: ({ run, share }) => {
    if (isCurrent(run)) repeatShare.value = share;
  },
  resample: (value) => {
    if (isCurrentScoring(value.turn)) resampled.value = value;
  },
};

let running = startFit();
const fitLink = connect<FitApi>(running, (name, value) => {
  events[name as keyof FitEvents](value as never);
});

/** Two threads: a table can be sorted, filtered and drawn during a fit. */
export const fitWorker = fitLink.calls;

/** Counts the fit's workers: what was handed to an earlier one is gone. */
export const fitWorkerNumber = signal(1);

/** Terminates the fit's worker, whatever it is doing, and starts a new one, which holds nothing yet. */
export function replaceFitWorker(refusal: Refusal): void {
  running.terminate();
  running = startFit();
  fitLink.replace(running, refusal);
  fitWorkerNumber.value += 1;
}

/** Ignores the answer of a call. */
export function unheard(answer: Promise<unknown>): void {
  answer.catch(() => undefined);
}

/** Opens and closes tables. */
export const tableKeeper = connect<TableApi>(startTable()).calls;

/** Questions about one table, by its number. */
export const questionsAbout = (table: number): Methods<TableQuestions> =>
  new Proxy({} as Methods<TableQuestions>, {
    get: (_, question) =>
      typeof question === 'string' && question !== 'then'
        ? (...args: unknown[]) => tableKeeper.ask(table, question as keyof TableQuestions, args)
        : undefined,
  });

/** Questions about the table shown when they are asked. */
export const tableWorker: Methods<TableQuestions> = new Proxy({} as Methods<TableQuestions>, {
  get: (_, question) => Reflect.get(questionsAbout(edgesVersion.peek()), question) as unknown,
});
