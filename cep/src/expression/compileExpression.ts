import type { CompiledExpression, ConditionFunction } from '../pattern/condition.ts';
import { readCondition } from './readExpression.ts';
import type { Equality, SoFar } from './term.ts';

/** A condition as data, compiled, with what rules are sorted by. */
export interface CompiledRuleExpression extends CompiledExpression {
  /** Earlier steps that it reads. */
  readonly steps: readonly string[];
  /** Every event that satisfies it has one of a few values in a field. */
  readonly equality: Equality | undefined;
}

/**
 * Makes a function of a condition that is written as JSON. Nothing of it is ever executed as code: it is read, checked and put together
 * from closures.
 *
 * @param at where it stands, for errors: the path to it.
 * @throws MillraceError `cep/condition` with the path to what is wrong.
 */
export function compileExpression(expression: unknown, at = ''): CompiledRuleExpression {
  const { evaluate, steps, text, usesTime, equality } = readCondition(expression, { path: at, depth: 0, hasItem: false });
  const isUnary = steps.length === 0;
  return { test: testOf(evaluate, isUnary, usesTime), isUnary, text, steps, equality };
}

/** As many parameters as it needs: by these, what is asked once per event is told from what is asked of each run. */
function testOf(
  evaluate: (event: unknown, soFar: SoFar, time: number, item: unknown) => unknown,
  isUnary: boolean,
  usesTime: boolean,
): ConditionFunction {
  if (isUnary && !usesTime) return (event: unknown) => evaluate(event, NOTHING, 0, undefined) === true;
  return (event: unknown, soFar: SoFar | undefined, { timestamp }: { readonly timestamp: number }) =>
    evaluate(event, soFar ?? NOTHING, timestamp, undefined) === true;
}

const NOTHING: SoFar = {};
