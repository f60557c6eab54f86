import type { Condition, Property } from './condition.ts';
import { invalidPattern } from './invalid.ts';
import type { EventNode, NotNode, PatternNode, SequenceNode, StepNode, TimesNode } from './pattern.ts';
import { nameOf } from './stepName.ts';

/**
 * A pattern's tree with its functions replaced by their names.
 *
 * @throws MillraceError `cep/condition` for a function without a name.
 */
export function patternJson(pattern: PatternNode): unknown {
  return { ...pattern, sequence: sequenceJson(pattern.sequence) };
}

function sequenceJson(sequence: SequenceNode): unknown {
  return { ...sequence, steps: sequence.steps.map(stepJson) };
}

function stepJson(step: StepNode): unknown {
  const name = nameOf(step);
  switch (step.kind) {
    case 'event':
      return { ...namedJson(step), ...timesJson(step.times, name) };
    case 'not':
      return namedJson(step);
    case 'group':
      return { ...step, body: sequenceJson(step.body), ...timesJson(step.times, name) };
    case 'either':
      return { ...step, branches: step.branches.map(sequenceJson), ...timesJson(step.times, name) };
    case 'all':
      return { ...step, events: step.events.map(namedJson), ...timesJson(step.times, name) };
  }
}

function namedJson(step: EventNode | NotNode): object {
  return step.where === undefined ? step : { ...step, where: conditionJson(step.where, step.name) };
}

function timesJson(times: TimesNode | undefined, name: string): object {
  return times?.until === undefined ? {} : { times: { ...times, until: conditionJson(times.until, name) } };
}

function conditionJson(condition: Condition, step: string): unknown {
  if ('and' in condition) return { and: condition.and.map((each) => conditionJson(each, step)) };
  if ('or' in condition) return { or: condition.or.map((each) => conditionJson(each, step)) };
  if ('equal' in condition) {
    const { equal } = condition;
    return { equal: { of: propertyJson(equal.of, step), step: equal.step, to: propertyJson(equal.to, step) } };
  }
  if ('expression' in condition) return condition;
  if (condition.name !== undefined) return { function: condition.name };
  throw notJson(step, 'A condition is a function without a name.');
}

function propertyJson(property: Property, step: string): string {
  if (typeof property === 'string') return property;
  throw notJson(step, 'whereEqual compares by a function.');
}

function notJson(step: string, text: string): Error {
  return invalidPattern('condition', step, text, 'For JSON, write it as an expression, name the function, or name the field.');
}
