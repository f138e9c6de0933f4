/** Whether text around an element is light on dark or dark on light. Notebooks share no other sign of their theme. */
export function themeAround(element: Element): 'light' | 'dark' {
  const [red = 0, green = 0, blue = 0] = (getComputedStyle(element).color.match(/[\d.]+/g) ?? []).map(Number);
  return 0.299 * red + 0.587 * green + 0.114 * blue > 128 ? 'dark' : 'light';
}

/** Calls `tell` now and whenever the theme around an element may have changed. Returns a function that ends this. */
export function followTheme(element: Element, tell: (theme: 'light' | 'dark') => void): () => void {
  let told: string | null = null;
  const look = () => {
    const theme = themeAround(element);
    if (theme !== told) tell((told = theme));
  };
  // Style sheets of a theme may load after its name has changed.
  const lookSoon = () => {
    look();
    setTimeout(look, 300);
  };
  const observer = new MutationObserver(lookSoon);
  for (const root of [document.documentElement, document.body]) observer.observe(root, { attributes: true });
  const preference = matchMedia('(prefers-color-scheme: dark)');
  preference.addEventListener('change', lookSoon);
  lookSoon();
  return () => {
    observer.disconnect();
    preference.removeEventListener('change', lookSoon);
  };
}
