/** What a case must give and what it gives. They are compared as text. */
export interface Outcome {
  readonly expected: unknown;
  readonly actual: unknown;
  readonly note?: string | undefined;
}

export function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Without repetitions, in an order of its own. */
export function asSet(values: readonly string[]): string[] {
  return [...new Set(values)].toSorted();
}

export function isAsExpected({ expected, actual }: Outcome): boolean {
  return asText(expected) === asText(actual);
}
