import { bytes, counted, duration, whole } from '../parts/format.ts';
import { cancel, cancellable } from '../state/cancel.ts';
import { pause, resume, run } from '../state/fitting.ts';
import {
  download,
  leastSamples,
  outcome,
  phase,
  placement,
  progress,
  repeatShare,
  resampled,
  unscored,
  type Phase,
} from '../state/run.ts';
import { fitChanges } from '../state/session.ts';
import { trial } from '../state/trials.ts';
import type { Download, FitOutcome } from '../worker/protocol.ts';

/**
 * Run, pause, cancel and resume; progress, rate and remaining time. Numbers that change all the time are not read out.
 */
export function RunPanel() {
  const unfinished = outcome.value !== null && (!outcome.value.complete || unscored.value !== null);
  const paused = phase.value === 'paused';
  const busy = phase.value !== 'idle';
  return (
    <section aria-labelledby="run-title">
      <h2 id="run-title">Run</h2>
      <div class="buttons">
        <button class="primary" disabled={busy} onClick={() => void run()}>
          Run
        </button>
        {paused || unfinished ? (
          <button data-other="Pause" disabled={!paused && busy} onClick={() => void resume()}>
            Resume
          </button>
        ) : (
          <button data-other="Resume" disabled={phase.value !== 'fitting'} onClick={() => void pause()}>
            Pause
          </button>
        )}
        <button disabled={!cancellable.value} onClick={cancel}>
          Cancel
        </button>
      </div>
      <progress aria-label={shareOf[phase.value] ?? 'Samples seen'} max={1} value={share()} />
      <p
        class="run-note"
        role="status"
        aria-live={['fitting', 'resampling'].includes(phase.value) || download.value ? 'off' : 'polite'}
      >
        {note()}
      </p>
    </section>
  );
}

/** What the bar measures, if not samples. */
const shareOf: Partial<Record<Phase, string>> = { trying: 'Repeats done', resampling: 'Scorings done' };

/** Progress of the work under way, 0 to 1. */
function share(): number {
  if (phase.value === 'opening' && download.value)
    return download.value.loaded / (download.value.total || Infinity);
  if (phase.value === 'trying' && trial.value)
    return (trial.value.outcomes.length + repeatShare.value) / trial.value.repeats;
  if (phase.value === 'resampling') return resampled.value ? resampled.value.done / resampled.value.total : 0;
  const at = progress.value;
  return at && at.total > 0 ? at.samples / at.total : 0;
}

function note(): string {
  const at = progress.value;
  const done = outcome.value;
  switch (phase.value) {
    case 'opening':
      return download.value ? fetched(download.value) : 'Reading …';
    case 'evaluating':
      return 'Scoring …';
    case 'comparing':
      return 'Scoring with and without the edge …';
    case 'resampling':
      return resampled.value
        ? `Scored again ${whole(resampled.value.done)} of ${counted(resampled.value.total, 'time')}`
        : 'Scoring again …';
    case 'trying':
      return trial.value
        ? `${trial.value.title}: repeat ${trial.value.outcomes.length + 1} of ${trial.value.repeats}`
        : '';
    case 'paused':
      return `Paused at ${whole(at?.samples ?? 0)} of ${counted(at?.total ?? 0, 'sample')}`;
    case 'fitting': {
      if (!at || at.samples === 0) return 'Starting …';
      const rate = at.samples / at.seconds;
      const left = (at.total - at.samples) / rate;
      return `${whole(at.samples)} of ${counted(at.total, 'sample')} · ${whole(rate)} per second · ${duration(left)} left`;
    }
    case 'idle':
      if (!done) return '';
      if (fitChanges.value.length > 0)
        return `The last run (${counted(done.samples, 'sample')}) used different inputs`;
      if (done.complete && unscored.value)
        return `Scoring ${unscored.value === 'failed' ? 'failed' : 'was cancelled'}; Resume scores the ${counted(done.samples, 'sample')} seen`;
      return done.complete ? completed(done) : broken(done, at?.total ?? 0);
  }
}

const fetched = ({ loaded, total }: Download): string =>
  `Fetching the runtime: ${bytes(loaded)}${total > 0 ? ` of ${bytes(total)}` : ''}`;

function completed({ samples, seconds, leftOut }: FitOutcome): string {
  const few = samples < leastSamples ? `, too few for scores` : '';
  const without = leftOut > 0 ? `, ${whole(leftOut)} left out` : '';
  return `${counted(samples, 'sample')} in ${duration(seconds)}${few}${without}, ${placement.value?.backend ?? ''} backend`;
}

/** Where a fit ended early, what it holds, and what Resume would do about an error. */
function broken({ samples, failure }: FitOutcome, total: number): string {
  const verb = failure ? 'Ended by an error' : 'Stopped';
  const held = samples < leastSamples ? 'too few for scores' : 'the scores are those of the samples seen';
  const next = failure?.leavesBatchOut ? 'skips the rejected batch and continues' : 'tries again';
  return `${verb} at ${whole(samples)} of ${counted(total, 'sample')}; ${held}${failure ? `; Resume ${next}` : ''}`;
}
