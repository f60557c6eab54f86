import { compileExpression } from '../expression/compileExpression.ts';
import type { Equality } from '../expression/term.ts';
import type { Condition, ConditionFunction, Property } from '../pattern/condition.ts';

/** A condition of the compiler's: conditions of the user's, put together. */
export type Formula =
  | { readonly kind: 'true' }
  | {
      readonly kind: 'test';
      readonly key: string;
      readonly text: string;
      readonly isUnary: boolean;
      readonly test: ConditionFunction;
      readonly equality?: Equality | undefined;
      readonly agreement?: Agreement | undefined;
    }
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Formula[] }
  | { readonly kind: 'not'; readonly of: Formula };

/** A property of the event equals that of the first event of an earlier step. */
export interface Agreement {
  readonly of: (event: never) => unknown;
  readonly step: string;
  readonly to: (event: never) => unknown;
  /** Equal for those with the same earlier side. */
  readonly side: string;
}

export const TRUE: Formula = { kind: 'true' };

export function and(parts: readonly Formula[]): Formula {
  const real = parts.flatMap((part) => (part.kind === 'true' ? [] : part.kind === 'and' ? part.parts : [part]));
  return real.length === 0 ? TRUE : real.length === 1 ? real[0]! : { kind: 'and', parts: real };
}

export function not(of: Formula): Formula {
  return of.kind === 'not' ? of.of : { kind: 'not', of };
}

/** A matter of the event alone. */
export function isUnary(formula: Formula): boolean {
  switch (formula.kind) {
    case 'true':
      return true;
    case 'test':
      return formula.isUnary;
    case 'not':
      return isUnary(formula.of);
    default:
      return formula.parts.every(isUnary);
  }
}

/** Equal for formulas that say the same in the same way. */
export function keyOf(formula: Formula): string {
  switch (formula.kind) {
    case 'true':
      return 'true';
    case 'test':
      return formula.key;
    case 'not':
      return `!${keyOf(formula.of)}`;
    default:
      return `(${formula.parts.map(keyOf).join(formula.kind === 'and' ? '&' : '|')})`;
  }
}

/** For people. */
export function textOf(formula: Formula): string {
  switch (formula.kind) {
    case 'true':
      return 'any event';
    case 'test':
      return formula.text;
    case 'not':
      return `not ${textOf(formula.of)}`;
    default:
      return `(${formula.parts.map(textOf).join(` ${formula.kind} `)})`;
  }
}

/** What every event has that satisfies a formula, where that can be told. */
export function equalityOf(formula: Formula): Equality | undefined {
  if (formula.kind === 'test') return formula.equality;
  if (formula.kind !== 'and') return undefined;
  for (const part of formula.parts) {
    const equality = equalityOf(part);
    if (equality !== undefined) return equality;
  }
  return undefined;
}

/** One function for a formula. */
export function compileFormula(formula: Formula): ConditionFunction {
  switch (formula.kind) {
    case 'true':
      return () => true;
    case 'test':
      return formula.test;
    case 'not': {
      const test = compileFormula(formula.of);
      return (event, soFar, context) => !test(event, soFar, context);
    }
    default: {
      const tests = formula.parts.map(compileFormula);
      const [first, second] = tests as [ConditionFunction, ConditionFunction];
      const isAnd = formula.kind === 'and';
      if (tests.length === 2 && isAnd) return (event, soFar, context) => first(event, soFar, context) && second(event, soFar, context);
      if (isAnd) return (event, soFar, context) => tests.every((test) => test(event, soFar, context));
      return (event, soFar, context) => tests.some((test) => test(event, soFar, context));
    }
  }
}

/** Numbers functions, so that the same one has the same key wherever it stands. */
export class Formulas {
  private readonly functions = new Map<unknown, number>();

  /** `step` names conditions that have no name of their own. */
  from(condition: Condition | undefined, step: string): Formula {
    if (condition === undefined) return TRUE;
    if ('and' in condition) return and(condition.and.map((each) => this.from(each, step)));
    if ('or' in condition) return { kind: 'or', parts: condition.or.map((each) => this.from(each, step)) };
    if ('equal' in condition) return this.equal(condition.equal, step);
    if ('expression' in condition) return expression(condition.expression, step);
    const { function: test, name = step } = condition;
    return { kind: 'test', key: `f${this.numberOf(test)}`, text: name, isUnary: test.length < 2, test };
  }

  private equal(equal: { readonly of: Property; readonly step: string; readonly to: Property }, step: string): Formula {
    const of = getter(equal.of);
    const to = getter(equal.to);
    const test = (event: never, soFar: Readonly<Record<string, readonly unknown[] | undefined>>): boolean => {
      const earlier = soFar[equal.step];
      return earlier !== undefined && earlier.length > 0 && of(event) === to(earlier[0] as never);
    };
    const side = `${JSON.stringify(equal.step)}.${this.propertyKey(equal.to)}`;
    return {
      kind: 'test',
      key: `e${this.propertyKey(equal.of)}=${side}`,
      text: equalText(equal, step),
      isUnary: false,
      test: test as unknown as ConditionFunction,
      agreement: { of, step: equal.step, to, side },
    };
  }

  private propertyKey(property: Property): string {
    return typeof property === 'string' ? JSON.stringify(property) : `f${this.numberOf(property)}`;
  }

  private numberOf(fn: unknown): number {
    const known = this.functions.get(fn);
    if (known !== undefined) return known;
    this.functions.set(fn, this.functions.size);
    return this.functions.size - 1;
  }
}

function equalText({ of, step, to }: { readonly of: Property; readonly step: string; readonly to: Property }, own: string): string {
  const named = (property: Property): string =>
    typeof property === 'string' ? `.${property}` : property.name === '' ? '' : ` ${property.name}`;
  return `${own}${named(of)} equals ${step}${named(to)}`;
}

function getter(property: Property): (event: never) => unknown {
  return typeof property === 'function' ? property : (event: Readonly<Record<string, unknown>>) => event[property];
}

function expression(given: unknown, step: string): Formula {
  const { test, text, isUnary: alone, equality } = compileExpression(given, `step "${step}"`);
  return { kind: 'test', key: `x${text}`, text, isUnary: alone, test, equality };
}
