/** The names that somebody may have meant who wrote `word`: best first, none if nothing is like it. */
export function nearest(word: string, names: Iterable<string>): readonly string[] {
  const wanted = word.toLowerCase();
  // A third of the letters may be wrong, and two in a short word: more than that is another word.
  const limit = Math.max(Math.min(2, wanted.length - 1), Math.floor(wanted.length / 3));
  return [...new Set(names)]
    .map((name) => ({ name, distance: rate(wanted, name.toLowerCase()) }))
    .filter(({ distance }) => distance <= limit)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ name }) => name);
}

/** A clause that names them: ` Did you mean a or b?`; empty if there are none. */
export function didYouMean(names: readonly string[]): string {
  return names.length === 0 ? '' : `Did you mean ${names.join(' or ')}?`;
}

function rate(word: string, name: string): number {
  // The beginning of a name is that name.
  if (word.length >= 3 && name.startsWith(word)) return 0.5;
  return editDistance(word, name);
}

/** Letters to be added, left out, replaced or swapped with their neighbour to make one word of the other. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, beforeLast[j - 2]! + 1);
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}
