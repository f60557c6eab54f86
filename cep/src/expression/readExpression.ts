import { and, equal, isOneOf, not, or } from './logic.ts';
import { VALUE_OPERATORS, type ValueOperator } from './operators.ts';
import { isRecord, malformed, type Place, within } from './place.ts';
import { reference } from './references.ts';
import { reads, type Term, type ValueType } from './term.ts';

/** Deeper nesting than this is refused: nobody writes it. */
const MAX_DEPTH = 64;

/**
 * Reads JSON as an expression, and checks it.
 *
 * @throws MillraceError `cep/condition` with the path to what is wrong.
 */
export function readExpression(json: unknown, place: Place): Term {
  if (place.depth > MAX_DEPTH) throw malformed(place, `the expression is nested more than ${MAX_DEPTH} deep`, 'Split the rule.');
  switch (typeof json) {
    case 'string':
      return constant(json, 'text');
    case 'number':
      if (Number.isFinite(json)) return constant(json, 'number');
      throw malformed(place, `${json} is no number of JSON`, 'Use finite numbers.');
    case 'boolean':
      return constant(json, 'boolean');
    default:
      if (json === null) return constant(json, 'any');
      if (isRecord(json)) return reference(json, place) ?? operation(json, place);
      throw malformed(
        place,
        Array.isArray(json) ? 'a list stands where a value is expected' : `a ${typeof json} is no JSON`,
        'Write a value, a reference or an operator: { "<": [{ "field": "cents" }, 100] }. A list of constants belongs to in.',
      );
  }
}

/** Reads what must be a condition. */
export function readCondition(json: unknown, place: Place): Term {
  const term = readExpression(json, place);
  checkType(term, 'boolean', place);
  return term;
}

function constant(value: string | number | boolean | null, type: ValueType): Term {
  const known = { steps: [], usesTime: false, usesItem: false };
  return { type, text: JSON.stringify(value), ...known, evaluate: () => value, constant: { value } };
}

function operation(json: Readonly<Record<string, unknown>>, place: Place): Term {
  const names = Object.keys(json);
  const [name] = names;
  if (name === undefined || names.length > 1) {
    throw malformed(
      place,
      `an object with ${names.length === 0 ? 'no field' : `the fields ${names.join(', ')}`} is no expression`,
      'Each operator is an object of its own: { "and": [{ "<": […] }, { "==": […] }] }.',
    );
  }
  const operands = json[name];
  const inside = within(place, name);
  if (Object.hasOwn(SPECIAL, name)) return SPECIAL[name]!(operands, inside);
  if (Object.hasOwn(VALUE_OPERATORS, name)) return valueOperation(name, VALUE_OPERATORS[name]!, operands, inside);
  throw malformed(
    place,
    `there is no operator "${name}"`,
    `There are: ${[...Object.keys(SPECIAL), ...Object.keys(VALUE_OPERATORS)].join(' ')}, and the references field, last, first, all, time, item.`,
  );
}

/** Operators that are more than a function of values. */
const SPECIAL: Readonly<Record<string, (operands: unknown, place: Place) => Term>> = {
  and: (operands, place) => and(conditionsOf(operands, place)),
  or: (operands, place) => or(conditionsOf(operands, place)),
  not: (operand, place) => not(readCondition(operand, place)),
  '==': (operands, place) => equal(...pair(operands, place)),
  '!=': (operands, place) => not(equal(...pair(operands, place))),
  // Turned round, so that "a > b" and "b < a" are one predicate.
  '>': (operands, place) => turned('<', operands, place),
  '>=': (operands, place) => turned('<=', operands, place),
  between: (operands, place) => {
    const [value, low, high] = operandsOf(operands, place, [3, 3]) as [Term, Term, Term];
    return and([applied('<=', VALUE_OPERATORS['<=']!, [low, value]), applied('<=', VALUE_OPERATORS['<=']!, [value, high])]);
  },
  in: (operands, place) => readIn(operands, place),
  count: (operand, place) => counted(operand, place),
  if: (operands, place) => conditional(operands, place),
  some: (operands, place) => quantified('some', operands, place),
  every: (operands, place) => quantified('every', operands, place),
};

function valueOperation(name: string, operator: ValueOperator, json: unknown, place: Place): Term {
  // A single operand needs no list around it.
  const isSingle = operator.operands[1] === 1 && !Array.isArray(json);
  const terms = isSingle ? [readExpression(json, place)] : operandsOf(json, place, operator.operands);
  for (const [i, term] of terms.entries())
    checkType(term, operator.takes[i] ?? operator.takes.at(-1)!, isSingle ? place : within(place, i));
  return applied(name, operator, terms);
}

function applied(name: string, { gives, infix, make }: ValueOperator, terms: readonly Term[]): Term {
  const texts = terms.map(({ text }) => text);
  const text = infix === true ? `(${texts.join(` ${name} `)})` : `${name}(${texts.join(', ')})`;
  return { type: gives, text, ...reads(terms), evaluate: make(terms.map(({ evaluate }) => evaluate)) };
}

function turned(name: '<' | '<=', json: unknown, place: Place): Term {
  return applied(name, VALUE_OPERATORS[name]!, pair(json, place).toReversed());
}

/** `{ "in": [value, [constants]] }`, or a list that is itself a reference. */
function readIn(json: unknown, place: Place): Term {
  if (!Array.isArray(json) || json.length !== 2)
    throw malformed(place, 'in takes a value and a list', 'Write { "in": [{ "field": "country" }, ["FR", "DE"]] }.');
  const value = readExpression(json[0], within(place, 0));
  const list: unknown = json[1];
  if (!Array.isArray(list)) {
    const term = readExpression(list, within(place, 1));
    checkType(term, 'list', within(place, 1));
    return applied('contains', VALUE_OPERATORS['contains']!, [term, value]);
  }
  const constants = list.map((each, i) => {
    const term = readExpression(each, within(within(place, 1), i));
    if (term.constant !== undefined) return term.constant.value;
    throw malformed(within(within(place, 1), i), 'a list of in holds constants only', 'For anything else, use or and ==.');
  });
  return isOneOf(value, constants);
}

/** `{ "count": "step" }`, or of a list. */
function counted(json: unknown, place: Place): Term {
  const term = readExpression(typeof json === 'string' ? { all: json } : json, place);
  checkType(term, 'list', place);
  return applied('length', VALUE_OPERATORS['length']!, [term]);
}

function conditional(json: unknown, place: Place): Term {
  const [test, one, other] = operandsOf(json, place, [3, 3]) as [Term, Term, Term];
  checkType(test, 'boolean', within(place, 0));
  return {
    type: one.type === other.type ? one.type : 'any',
    text: `if(${test.text}, ${one.text}, ${other.text})`,
    ...reads([test, one, other]),
    evaluate: (event, soFar, time, item) =>
      (test.evaluate(event, soFar, time, item) === true ? one : other).evaluate(event, soFar, time, item),
  };
}

/** `{ "some": [list, condition] }`, where the condition speaks of `{ "item": … }`. */
function quantified(name: 'some' | 'every', json: unknown, place: Place): Term {
  if (!Array.isArray(json) || json.length !== 2)
    throw malformed(
      place,
      `${name} takes a list and a condition`,
      `Write { "${name}": [{ "all": "step" }, { "<": [{ "item": "cents" }, 5] }] }.`,
    );
  const list = readExpression(json[0], within(place, 0));
  checkType(list, 'list', within(place, 0));
  const test = readCondition(json[1], within(place, 1, true));
  const { evaluate } = test;
  const known = reads([list, test]);
  return {
    type: 'boolean',
    text: `${name}(${list.text}, ${test.text})`,
    ...known,
    usesItem: list.usesItem,
    evaluate: (event, soFar, time, outer) => {
      const values = list.evaluate(event, soFar, time, outer);
      if (!Array.isArray(values)) return false;
      return values[name]((each: unknown) => evaluate(event, soFar, time, each) === true);
    },
  };
}

function conditionsOf(json: unknown, place: Place): readonly Term[] {
  const terms = operandsOf(json, place, [1, Infinity]);
  for (const [i, term] of terms.entries()) checkType(term, 'boolean', within(place, i));
  return terms;
}

function pair(json: unknown, place: Place): [Term, Term] {
  return operandsOf(json, place, [2, 2]) as [Term, Term];
}

function operandsOf(json: unknown, place: Place, [least, most]: readonly [number, number]): readonly Term[] {
  const count = Array.isArray(json) ? json.length : 0;
  if (!Array.isArray(json) || count < least || count > most) {
    const wanted = least === most ? String(least) : most === Infinity ? `${least} or more` : `${least} to ${most}`;
    throw malformed(
      place,
      `${wanted} operands are needed, and ${Array.isArray(json) ? `${count} are given` : 'there is no list of them'}`,
      'Give a list of operands.',
    );
  }
  return json.map((each, i) => readExpression(each, within(place, i)));
}

function checkType({ type }: Term, wanted: ValueType, place: Place): void {
  if (type === wanted || type === 'any' || wanted === 'any') return;
  throw malformed(
    place,
    `a ${type} stands where a ${wanted} is needed`,
    wanted === 'boolean' ? 'A condition is a comparison, or made of comparisons.' : 'Look at the operator around it.',
  );
}
