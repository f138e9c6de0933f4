import { effect, signal } from '@preact/signals';

export type Theme = 'auto' | 'light' | 'dark';

export const theme = signal<Theme>('auto');

/** Counts changes of the palette, so that canvases know when to repaint. */
export const paletteVersion = signal(0);

effect(() => {
  if (theme.value === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme.value;
  paletteVersion.value = paletteVersion.peek() + 1;
});

/** Restores the theme of the last visit, and saves the choice for the next one. */
export function rememberTheme(): void {
  const stored = localStorage.getItem('theme');
  if (stored === 'light' || stored === 'dark') theme.value = stored;
  effect(() => {
    if (theme.value === 'auto') localStorage.removeItem('theme');
    else localStorage.setItem('theme', theme.value);
  });
}

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  paletteVersion.value += 1;
});

/** What a design token resolves to. */
export type ColourOf = (token: string) => string;

/** What a design token resolves to now, as `rgb(...)`, for canvases, which CSS does not reach. */
export const tokenColour: ColourOf = (token) => resolved(token, '');

/** What it resolves to in the light theme, whichever is on: figures are light. */
export const lightColour: ColourOf = (token) => resolved(token, 'in-light');

function resolved(token: string, className: string): string {
  const probe = document.createElement('i');
  probe.className = className;
  probe.style.color = `var(${token})`;
  document.body.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}
