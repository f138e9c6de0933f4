/** Number of random trials of a test: `short` in the suite, several times that in `npm run harness`. */
export function trials(short: number): number {
  // Vite passes variables with this prefix to tests in Node and in pages alike.
  const factor = Number(import.meta.env.VITE_TRIAL_FACTOR ?? 1);
  return Math.max(1, Math.round(short * factor));
}
