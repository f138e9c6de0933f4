import { useLayoutEffect, useRef } from 'preact/hooks';
import { question } from '../state/consent.ts';

/** Asks whether files on other sites that the page's address names may be fetched, before any is. */
export function Consent() {
  const dialog = useRef<HTMLDialogElement>(null);
  const asked = question.value;
  // With the render itself: after a paint, an empty dialog would be shown for a frame beside what follows the answer.
  useLayoutEffect(() => {
    if (asked && !dialog.current?.open) dialog.current?.showModal();
    if (!asked) dialog.current?.close();
  }, [asked]);
  return (
    <dialog
      ref={dialog}
      aria-labelledby="consent-title"
      onCancel={(event) => {
        event.preventDefault();
        asked?.answer(false);
      }}
    >
      <h2 id="consent-title">Fetch files from another site?</h2>
      <p>
        The link that was opened names files elsewhere. Whoever runs that site sees that you fetch them. Only
        continue if you trust it and whoever gave you the link.
      </p>
      <dl class="addresses">
        {asked?.files.map(({ role, url }) => (
          <div key={role}>
            <dt>
              {role} from <strong>{url.host}</strong>
            </dt>
            <dd>{url.href}</dd>
          </div>
        ))}
      </dl>
      <div class="buttons">
        <button onClick={() => asked?.answer(false)}>Do not fetch</button>
        <button class="primary" onClick={() => asked?.answer(true)}>
          Fetch
        </button>
      </div>
    </dialog>
  );
}
