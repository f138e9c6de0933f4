import { counted, duration, whole } from '../parts/format.ts';
import { outcome, phase, progress, running } from '../state/run.ts';
import { cancel, pause, resume, run } from '../state/session.ts';

/** Run, pause, cancel, go on; how far, how fast, how long still. */
export function RunPanel() {
  const at = progress.value;
  const unfinished = outcome.value !== null && !outcome.value.complete;
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
          <button disabled={!paused && busy} onClick={() => void resume()}>
            Resume
          </button>
        ) : (
          <button disabled={phase.value !== 'fitting'} onClick={() => void pause()}>
            Pause
          </button>
        )}
        <button disabled={!running.value} onClick={() => void cancel()}>
          Cancel
        </button>
      </div>
      <progress aria-label="Samples seen" max={1} value={at && at.total > 0 ? at.samples / at.total : 0} />
      <p class="run-note" role="status">
        {note()}
      </p>
    </section>
  );
}

function note(): string {
  const at = progress.value;
  const done = outcome.value;
  switch (phase.value) {
    case 'opening':
      return 'Reading …';
    case 'evaluating':
      return 'Scoring …';
    case 'stopping':
      return 'Stopping after this batch …';
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
      return done.complete
        ? `${counted(done.samples, 'sample')} in ${duration(done.seconds)}, ${done.backend} backend`
        : `Stopped at ${whole(done.samples)} of ${counted(at?.total ?? 0, 'sample')}; the scores are those of the samples seen`;
  }
}
