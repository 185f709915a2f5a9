/** Which of some names was meant by one that is not among them: the one with the fewest letters changed. */
export function nearest(name: string, names: readonly string[]): string {
  const [best = ''] = [...names].sort((left, right) => distance(name, left) - distance(name, right));
  return best;
}

/** Letters to insert, delete or replace (Levenshtein). */
function distance(from: string, to: string): number {
  const row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [above, letter] of [...from].entries()) {
    let diagonal = above;
    row[0] = above + 1;
    for (let index = 1; index <= to.length; index += 1) {
      const up = row[index] ?? 0;
      row[index] = Math.min(up + 1, (row[index - 1] ?? 0) + 1, diagonal + (to[index - 1] === letter ? 0 : 1));
      diagonal = up;
    }
  }
  return row[to.length] ?? 0;
}
