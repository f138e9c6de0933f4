import { alerts, dismiss } from '../state/alerts.ts';

/** Refusals, one sentence each. The region is always there, so that screen readers hear what enters it. */
export function Alerts() {
  return (
    <div class="alerts">
      {alerts.value.map(({ id, message, code }) => (
        <div class="alert" key={id}>
          <p role="alert" data-code={code}>
            {message}
          </p>
          <button
            class="plain"
            onClick={() => {
              dismiss(id);
            }}
            aria-label="Dismiss this message"
          >
            Dismiss
          </button>
        </div>
      ))}
    </div>
  );
}
