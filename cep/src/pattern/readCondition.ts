import { compileExpression } from '../expression/compileExpression.ts';
import type { Condition, ConditionFunction } from './condition.ts';
import { fieldsOf, listOf, malformedPattern, type Part, textOf } from './jsonShape.ts';

/** Functions that conditions may name. */
export type NamedFunctions = Readonly<Record<string, ConditionFunction>>;

/** Reads conditions of a pattern; `isStep` tells which names conditions may speak of. */
export interface ConditionReading {
  readonly functions: NamedFunctions;
  readonly isStep: (name: string) => boolean;
}

/**
 * Reads a condition: an expression, the name of a function, an equality, or several of these.
 *
 * @throws MillraceError `cep/malformed`, `cep/condition` with the path to what is wrong.
 */
export function readCondition(part: Part, reading: ConditionReading): Condition {
  const field = fieldsOf(part, ['expression', 'function', 'equal', 'and', 'or']);
  if (Object.keys(part.json as object).length !== 1) {
    throw malformedPattern(
      part.path,
      'a condition has exactly one field',
      'Write { "expression": … }, or { "and": [{ "expression": … }, …] }.',
    );
  }
  for (const name of ['and', 'or'] as const) {
    if (field(name).json === undefined) continue;
    const parts = listOf(field(name)).map((each) => readCondition(each, reading));
    return name === 'and' ? { and: parts } : { or: parts };
  }
  if (field('function').json !== undefined) return namedFunction(field('function'), reading);
  return field('equal').json === undefined ? readExpression(field('expression'), reading) : readEqual(field('equal'), reading);
}

function namedFunction(part: Part, { functions }: ConditionReading): Condition {
  const name = textOf(part);
  if (Object.hasOwn(functions, name)) return { function: functions[name]!, name };
  throw malformedPattern(
    part.path,
    `there is no function "${name}"`,
    `Give it when the pattern is read: fromJSON(json, { functions: { ${name} } }).`,
  );
}

function readExpression({ json, path }: Part, reading: ConditionReading): Condition {
  const { steps } = compileExpression(json, path);
  for (const step of steps) checkStep(step, path, reading);
  return { expression: json };
}

function readEqual(part: Part, reading: ConditionReading): Condition {
  const field = fieldsOf(part, ['of', 'step', 'to']);
  const step = textOf(field('step'));
  checkStep(step, field('step').path, reading);
  return { equal: { of: textOf(field('of')), step, to: textOf(field('to')) } };
}

function checkStep(step: string, path: string, { isStep }: ConditionReading): void {
  if (!isStep(step)) throw malformedPattern(path, `there is no step "${step}" that takes events`, 'Speak of steps by their names.');
}
