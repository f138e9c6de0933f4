/** How many random trials a test makes: `short` in the suite, some times as many in `npm run harness`. */
export function trials(short: number): number {
  // Vite hands variables of this prefix to tests in Node and in pages alike.
  const factor = Number(import.meta.env.VITE_TRIAL_FACTOR ?? 1);
  return Math.max(1, Math.round(short * factor));
}
