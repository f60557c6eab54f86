/** What is known of a value before there is one. `any`: nothing, a field of an event. */
export type ValueType = 'number' | 'text' | 'boolean' | 'list' | 'any';

/** The events that a run has taken so far, by step name. */
export type SoFar = Readonly<Record<string, readonly unknown[] | undefined>>;

/**
 * Gives a value for an event, what was taken so far, and the event's time. `item` is that of the list which `some` or `every` goes
 * through. What is missing is `undefined`: a field that is not there, a sum of what are no numbers.
 */
export type Evaluate = (event: unknown, soFar: SoFar, time: number, item: unknown) => unknown;

/** A field of the event that must be one of a few constants: what rules can be found by. */
export interface Equality {
  readonly path: readonly string[];
  readonly values: readonly (string | number | boolean)[];
}

/** A part of an expression, checked: what it is, and how its value is found. */
export interface Term {
  readonly type: ValueType;
  /** Equal for terms that say the same; for people, too. */
  readonly text: string;
  /** Earlier steps that it reads. */
  readonly steps: readonly string[];
  readonly usesTime: boolean;
  /** It speaks of the item of a list: of none outside of `some` and `every`. */
  readonly usesItem: boolean;
  readonly evaluate: Evaluate;
  /** For a constant: its value. */
  readonly constant?: { readonly value: string | number | boolean | null };
  /** For a field of the event: its path. */
  readonly field?: readonly string[];
  /** For a condition: what the event has where it holds. */
  readonly equality?: Equality;
}

/** What terms read, put together. */
export function reads(terms: readonly Term[]): Pick<Term, 'steps' | 'usesTime' | 'usesItem'> {
  return {
    steps: [...new Set(terms.flatMap(({ steps }) => steps))].sort(),
    usesTime: terms.some(({ usesTime }) => usesTime),
    usesItem: terms.some(({ usesItem }) => usesItem),
  };
}

/** A name as it stands in the text of a term. */
export function nameText(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) && !['true', 'false', 'null'].includes(name) ? name : JSON.stringify(name);
}

export function pathText(path: readonly string[]): string {
  return path.map(nameText).join('.');
}
