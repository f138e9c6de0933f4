import type { ComponentChildren } from 'preact';
import { counted, whole } from '../parts/format.ts';
import { run } from '../state/fitting.ts';
import { forgetInterrupted, interruptedFit, openInterrupted } from '../state/interrupted-fit.ts';
import { forgetLastSession, lastSession, restoreLastSession } from '../state/last-session.ts';

/** What an earlier visit left, to be resumed or forgotten. */
export function Offers() {
  const [fit, session] = [interruptedFit.value, lastSession.value];
  return (
    <>
      {fit && (
        <Offer
          label="Interrupted fit"
          action="Resume"
          onTake={async () => {
            if (await openInterrupted()) await run('checkpoint');
          }}
          onForget={forgetInterrupted}
        >
          A fit of {fit.model} with {fit.data} was interrupted at {whole(fit.samples)} of{' '}
          {counted(fit.total, 'sample')}, {dateOf(fit.when)}.
        </Offer>
      )}
      {session && (
        <Offer label="Last session" action="Restore" onTake={restoreLastSession} onForget={forgetLastSession}>
          Last time, {dateOf(session.when)}: {session.line}.
        </Offer>
      )}
    </>
  );
}

const dateOf = (when: number): string =>
  new Date(when).toLocaleString('en', { dateStyle: 'medium', timeStyle: 'short' });

interface OfferProps {
  readonly label: string;
  readonly action: string;
  readonly children: ComponentChildren;
  readonly onTake: () => Promise<void>;
  readonly onForget: () => Promise<void>;
}

function Offer({ label, action, children, onTake, onForget }: OfferProps) {
  return (
    <section class="offer" aria-label={label}>
      <p>{children}</p>
      <div class="buttons">
        <button class="primary" onClick={() => void onTake()}>
          {action}
        </button>
        <button onClick={() => void onForget()}>Forget</button>
      </div>
    </section>
  );
}
