import { duration } from '../parts/format.ts';
import { refuse } from './alerts.ts';
import { forgetFit } from './forget-fit.ts';
import { beginRun, beginScoring, phase, slowestStep } from './run.ts';
import { fitWorker, fitWorkerNumber, replaceFitWorker } from './workers.ts';

/** Seconds that work may take to end once it was cancelled; five times its slowest batch where that is more. */
const leastGrace = 20;

/**
 * Waits for work that was cancelled to end. What never does, a model that loops or a device that does not answer, ends
 * with its worker; another worker opens the files again when they are needed. The statistics held are gone then.
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
  const message = `What was cancelled did not end within ${duration(grace)} and was ended by force, with the samples seen; Run starts from the files again.`;
  replaceFitWorker({ code: 'replaced', message });
  refuse(Object.assign(new Error(message), { code: 'replaced' }));
}
