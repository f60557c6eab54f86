/** What the benchmarks of chains are over. */
export interface Row {
  readonly key: string;
  readonly n: number;
}

/**
 * Rows as they come from an input: each with a key string of its own, never seen by this process before, whose hash nobody has
 * computed yet. (Keys taken from a list of constants would flatter a `Map`, which keeps a string's hash in the string.)
 */
export function freshRows(count: number, keys: number): Row[] {
  const rows: Row[] = [];
  let state = 1;
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const key = Math.floor((state / 4_294_967_296) * keys);
    rows.push({ key: Buffer.from(`key-${key}`).toString('latin1'), n: i & 1023 });
  }
  return rows;
}

/** The user functions, made anew for each run: both sides get closures of the same kind. */
export function closures(): {
  map: (row: Row) => Row;
  filter: (row: Row) => boolean;
  key: (row: Row) => string;
  reduce: (a: Row, b: Row) => Row;
} {
  return {
    map: (row) => ({ key: row.key, n: row.n + 1 }),
    filter: (row) => row.n % 10 !== 0,
    key: (row) => row.key,
    reduce: (a, b) => ({ key: a.key, n: a.n + b.n }),
  };
}

/** The same of a chain without state: from a row to a number of it, so that it is the engine that is measured and not the making of rows. */
export function numberClosures(): { read: (row: Row) => number; filter: (n: number) => boolean; map: (n: number) => number } {
  return { read: (row) => row.n + 1, filter: (n) => n % 10 !== 0, map: (n) => n * 3 };
}

/** Where results go: a sum, so that nothing can be optimised away. */
export class Tally {
  records = 0;
  total = 0;
  readonly take = (row: Row): void => {
    this.records++;
    this.total += row.n;
  };
  readonly takeNumber = (n: number): void => {
    this.records++;
    this.total += n;
  };
}
