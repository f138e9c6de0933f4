import { alerts, dismiss } from '../state/alerts.ts';

/** Error messages, one sentence each. The region always exists, so that screen readers announce what enters it. */
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
