import { effect, signal } from '@preact/signals';

export type Theme = 'auto' | 'light' | 'dark';

const stored = localStorage.getItem('theme');
export const theme = signal<Theme>(stored === 'light' || stored === 'dark' ? stored : 'auto');

/** Counts changes of what colours resolve to, so that canvases know when to paint again. */
export const paletteVersion = signal(0);

effect(() => {
  if (theme.value === 'auto') {
    delete document.documentElement.dataset.theme;
    localStorage.removeItem('theme');
  } else {
    document.documentElement.dataset.theme = theme.value;
    localStorage.setItem('theme', theme.value);
  }
  paletteVersion.value = paletteVersion.peek() + 1;
});

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  paletteVersion.value += 1;
});

/** What a design token resolves to now, as `rgb(...)`, for canvases that CSS does not reach. */
export function tokenColour(token: string): string {
  const probe = document.createElement('i');
  probe.style.color = `var(${token})`;
  document.body.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}
