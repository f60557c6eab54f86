import { type Equality, type Evaluate, reads, type Term } from './term.ts';

/** Both sides agree. What is missing agrees with `null`. */
export function equal(left: Term, right: Term): Term {
  // A constant stands on the right, and of two others the order is that of their texts: so what says the same reads the same.
  const [a, b] = right.constant === undefined && (left.constant !== undefined || right.text < left.text) ? [right, left] : [left, right];
  return {
    type: 'boolean',
    text: `(${a.text} == ${b.text})`,
    ...reads([a, b]),
    evaluate: equalityTest(a, b),
    ...equalityOf(a, b.constant === undefined ? [] : [b.constant.value]),
  };
}

/** One of a few constants. */
export function isOneOf(term: Term, constants: readonly (string | number | boolean | null)[]): Term {
  const values = new Set<unknown>(constants.map((value) => value ?? undefined));
  const { evaluate } = term;
  return {
    type: 'boolean',
    text: `(${term.text} in [${constants
      .map((value) => JSON.stringify(value))
      .sort()
      .join(', ')}])`,
    ...reads([term]),
    evaluate: (event, soFar, time, item) => values.has(evaluate(event, soFar, time, item) ?? undefined),
    ...equalityOf(term, constants),
  };
}

export function not(term: Term): Term {
  const { evaluate } = term;
  return {
    type: 'boolean',
    text: `not ${term.text}`,
    ...reads([term]),
    evaluate: (event, soFar, time, item) => evaluate(event, soFar, time, item) !== true,
  };
}

/** All of them. Their order is of no account, and neither is saying one twice. */
export function and(terms: readonly Term[]): Term {
  const { text, parts } = joined(terms, ' and ');
  const tests = parts.map(({ evaluate }) => evaluate);
  const equality = parts.find((part) => part.equality !== undefined)?.equality;
  const [first, second] = tests as [Evaluate, Evaluate];
  return {
    type: 'boolean',
    text,
    ...reads(terms),
    evaluate:
      tests.length === 2
        ? (event, soFar, time, item) => first(event, soFar, time, item) === true && second(event, soFar, time, item) === true
        : (event, soFar, time, item) => tests.every((test) => test(event, soFar, time, item) === true),
    ...(equality !== undefined && { equality }),
  };
}

/** At least one of them. */
export function or(terms: readonly Term[]): Term {
  const { text, parts } = joined(terms, ' or ');
  const tests = parts.map(({ evaluate }) => evaluate);
  return {
    type: 'boolean',
    text,
    ...reads(terms),
    evaluate: (event, soFar, time, item) => tests.some((test) => test(event, soFar, time, item) === true),
  };
}

function joined(terms: readonly Term[], word: string): { readonly text: string; readonly parts: readonly Term[] } {
  const byText = new Map(terms.map((term) => [term.text, term]));
  const texts = [...byText.keys()].sort();
  // In the order in which they were given: whoever wrote it knows what is quick.
  return { text: texts.length === 1 ? `(${texts[0]!})` : `(${texts.join(word)})`, parts: [...byText.values()] };
}

function equalityTest(a: Term, b: Term): Evaluate {
  const left = a.evaluate;
  const right = b.evaluate;
  if (b.constant === undefined) return (event, soFar, time, item) => same(left(event, soFar, time, item), right(event, soFar, time, item));
  const { value } = b.constant;
  if (value === null) return (event, soFar, time, item) => (left(event, soFar, time, item) ?? null) === null;
  if (a.field?.length !== 1) return (event, soFar, time, item) => left(event, soFar, time, item) === value;
  const field = a.field[0]!;
  return (event) => (event as Readonly<Record<string, unknown>> | null | undefined)?.[field] === value;
}

function same(a: unknown, b: unknown): boolean {
  return (a ?? null) === (b ?? null);
}

function equalityOf({ field }: Term, constants: readonly (string | number | boolean | null)[]): { readonly equality?: Equality } {
  const values = constants.filter((value) => value !== null);
  return field === undefined || values.length === 0 || values.length < constants.length ? {} : { equality: { path: field, values } };
}
