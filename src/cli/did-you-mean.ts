/** `; did you mean 'score'?` if a known word is a typo away, else an empty string. */
export function didYouMean(word: string, known: readonly string[], prefix = ''): string {
  const most = Math.max(1, Math.round(word.length * 0.4));
  const near = known
    .map((candidate) => ({ candidate, steps: editDistance(word.toLowerCase(), candidate) }))
    .filter(({ candidate, steps }) => steps <= most || (word.length > 2 && candidate.startsWith(word)))
    .sort((a, b) => a.steps - b.steps)[0];
  return near === undefined ? '' : `; did you mean '${prefix}${near.candidate}'?`;
}

/** Levenshtein distance: insertions, deletions and substitutions of letters. */
function editDistance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const exchanged = above[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(exchanged, above[j]! + 1, row[j - 1]! + 1));
    }
    above = row;
  }
  return above[b.length]!;
}
