const places = [
  ['#inputs', 'Skip to inputs'],
  ['#edges', 'Skip to the table'],
  ['#view-panel', 'Skip to the view'],
] as const;

/** The first stops of the keyboard, in sight while they have it. */
export function SkipLinks() {
  return (
    <nav class="skip-links" aria-label="Parts of the page">
      {places.map(([place, text]) => (
        <a
          key={place}
          href={place}
          onClick={(event) => {
            // The address of the page says what it shows.
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
