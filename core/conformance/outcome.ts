/** What a case came to: both sides in the same form, in which what has no order is sorted. */
export interface Outcome {
  readonly expected: unknown;
  readonly actual: unknown;
  /** Which of several ways of running the case this is. */
  readonly variant?: string;
}

/** Runs a case. Several outcomes: the case was run in several ways, and all of them count. */
export type Kind<C> = (given: C) => Outcome | readonly Outcome[] | Promise<Outcome | readonly Outcome[]>;

/** Whether an outcome is what it should be. */
export function isAsExpected({ expected, actual }: Outcome): boolean {
  return text(expected) === text(actual);
}

/** Plain data on one line. */
export function text(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => (isRecord(part) ? sortedByName(part) : (part ?? null))) ?? 'null';
}

/** A list without order. */
export function multiset(items: readonly unknown[]): readonly unknown[] {
  return items
    .map((item) => ({ item, as: text(item) }))
    .sort((a, b) => (a.as < b.as ? -1 : a.as > b.as ? 1 : 0))
    .map(({ item }) => item);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function sortedByName(value: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
