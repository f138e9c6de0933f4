import { duration } from '../parts/format.ts';
import { refuse } from './alerts.ts';
import { forgetFit } from './forget-fit.ts';
import { beginRun, beginScoring, phase, slowestStep } from './run.ts';
import { fitWorker, fitWorkerNumber, replaceFitWorker } from './workers.ts';

/** Seconds that cancelled work may take to end; five times its slowest batch if that is more. */
const leastGrace = 20;

/**
 * Waits for cancelled work to end. If it never does (a model that loops, a device that does not answer), its worker is
 * terminated; a new worker opens the files again when they are needed. The statistics are lost.
 */
export async function endWhatHangs(): Promise<void> {
  const number = fitWorkerNumber.peek();
  const grace = Math.max(leastGrace, 5 * slowestStep());
  const ended = await Promise.race([
    fitWorker.rest().then(
      () => true,
      () => true,
    ),
    new Promise<boolean>((resolve) => setTimeout(resolve, 1000 * grace, false)),
  ]);
  if (ended || fitWorkerNumber.peek() !== number) return;
  beginRun();
  beginScoring();
  forgetFit();
  phase.value = 'idle';
  const message = `The cancelled work did not stop within ${duration(grace)} and was terminated; the samples seen are lost, and Run starts over from the files.`;
  replaceFitWorker({ code: 'replaced', message });
  refuse(Object.assign(new Error(message), { code: 'replaced' }));
}
