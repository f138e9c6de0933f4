const places = [
  ['#inputs', 'Skip to inputs'],
  ['#edges', 'Skip to the table'],
  ['#view-panel', 'Skip to the view'],
] as const;

/** The first tab stops, visible while focused. */
export function SkipLinks() {
  return (
    <nav class="skip-links" aria-label="Parts of the page">
      {places.map(([place, text]) => (
        <a
          key={place}
          href={place}
          onClick={(event) => {
            // Keeps the address, which holds the state of the page.
            event.preventDefault();
            document.querySelector<HTMLElement>(place)?.focus();
          }}
        >
          {text}
        </a>
      ))}
    </nav>
  );
}
