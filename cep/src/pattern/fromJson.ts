import type { Complete, Matched } from './matched.ts';
import { countOf, fieldsOf, listOf, malformedPattern, maybe, oneOf, type Part, textOf } from './jsonShape.ts';
import type { AfterMatchNode, EventNode, NotNode, PatternNode, SequenceNode, StepNode, TakingNode, TimesNode } from './pattern.ts';
import { patternJson } from './patternJson.ts';
import { type ConditionReading, type NamedFunctions, readCondition } from './readCondition.ts';
import { validatePattern } from './validation.ts';

/** Options of `fromJSON`. */
export interface FromJSONOptions {
  /** What `{ "function": name }` means. Expressions need none. */
  readonly functions?: NamedFunctions;
}

/**
 * A pattern from its plain JSON form, as `pattern.toJSON()` gives it: checked throughout, and nothing of it is executed as code. Its
 * matches have whatever steps it names.
 *
 * @throws MillraceError `cep/malformed`, `cep/condition` with the path to what is wrong in the JSON; `cep/…` as for a pattern that is built.
 * @example
 * const rule = fromJSON<{ cents: number }>({
 *   version: 1,
 *   sequence: {
 *     within: 600_000,
 *     steps: [
 *       { kind: 'event', link: 'begin', name: 'small', where: { expression: { '<': [{ field: 'cents' }, 100] } } },
 *       { kind: 'event', link: 'followedBy', name: 'large', where: { expression: { '>': [{ field: 'cents' }, 50_000] } } },
 *     ],
 *   },
 * });
 * console.log(rule.node.sequence.steps.length); // 2
 */
export function fromJSON<T = unknown>(json: unknown, { functions = {} }: FromJSONOptions = {}): Complete<T, Matched> {
  const node = readPattern(json, functions);
  return { node, toJSON: () => patternJson(node) } as Complete<T, Matched>;
}

/** The plain tree of a pattern from JSON. `path`: where it stands in something larger. */
export function readPattern(json: unknown, functions: NamedFunctions, path = ''): PatternNode {
  const field = fieldsOf({ json, path }, ['version', 'sequence', 'afterMatch']);
  if (field('version').json !== 1) {
    throw malformedPattern(field('version').path, 'this version of the package reads version 1 only', 'Write "version": 1, or upgrade.');
  }
  const names = new Set<string>();
  gatherNames(field('sequence').json, names);
  const reading: ConditionReading = { functions, isStep: (name) => names.has(name) };
  return validatePattern({
    version: 1,
    sequence: readSequence(field('sequence'), reading),
    ...maybe(field('afterMatch'), 'afterMatch', readAfterMatch),
  });
}

/** Steps that take events, wherever they stand: before everything is read, since conditions may speak of any. */
function gatherNames(json: unknown, names: Set<string>): void {
  if (typeof json !== 'object' || json === null) return;
  const { kind, name } = json as { readonly kind?: unknown; readonly name?: unknown };
  if (kind === 'event' && typeof name === 'string') names.add(name);
  for (const [field, part] of Object.entries(json)) if (field !== 'where') gatherNames(part, names);
}

function readSequence(part: Part, reading: ConditionReading): SequenceNode {
  const field = fieldsOf(part, ['steps', 'within']);
  const steps = listOf(field('steps')).map((each) => readStep(each, reading));
  return { steps, ...maybe(field('within'), 'within', countOf) };
}

const TAKING = ['kind', 'link', 'times', 'optional', 'withinPrevious'];

function readStep(part: Part, reading: ConditionReading): StepNode {
  const { kind: given } = (part.json ?? {}) as { readonly kind?: unknown };
  const kind = oneOf({ json: given, path: `${part.path}.kind` }, ['event', 'group', 'either', 'all', 'not']);
  switch (kind) {
    case 'event':
      return readEvent(part, reading);
    case 'not':
      return readNot(part, reading);
    case 'group': {
      const field = fieldsOf(part, [...TAKING, 'body']);
      return { kind, body: readSequence(field('body'), reading), ...readTaking(field, reading) };
    }
    case 'either': {
      const field = fieldsOf(part, [...TAKING, 'branches']);
      return { kind, branches: listOf(field('branches')).map((each) => readSequence(each, reading)), ...readTaking(field, reading) };
    }
    case 'all': {
      const field = fieldsOf(part, [...TAKING, 'events']);
      return { kind, events: listOf(field('events')).map((each) => readEvent(each, reading)), ...readTaking(field, reading) };
    }
  }
}

function readEvent(part: Part, reading: ConditionReading): EventNode {
  const field = fieldsOf(part, [...TAKING, 'name', 'where']);
  oneOf(field('kind'), ['event']);
  const name = textOf(field('name'));
  return {
    kind: 'event',
    name,
    ...readTaking(field, reading),
    ...maybe(field('where'), 'where', (where) => readCondition(where, reading)),
  };
}

function readNot(part: Part, reading: ConditionReading): NotNode {
  const field = fieldsOf(part, ['kind', 'link', 'name', 'where', 'duration', 'withinPrevious']);
  return {
    kind: 'not',
    link: oneOf(field('link'), ['next', 'followedBy', 'absent']),
    name: textOf(field('name')),
    ...maybe(field('where'), 'where', (where) => readCondition(where, reading)),
    ...maybe(field('duration'), 'duration', countOf),
    ...maybe(field('withinPrevious'), 'withinPrevious', countOf),
  };
}

function readTaking(field: (name: string) => Part, reading: ConditionReading): TakingNode {
  return {
    link: oneOf(field('link'), ['begin', 'next', 'followedBy', 'followedByAny']),
    ...maybe(field('times'), 'times', (times) => readTimes(times, reading)),
    ...maybe(field('optional'), 'optional', readTrue),
    ...maybe(field('withinPrevious'), 'withinPrevious', countOf),
  };
}

function readTimes(part: Part, reading: ConditionReading): TimesNode {
  const field = fieldsOf(part, ['min', 'max', 'inner', 'preference', 'until', 'within']);
  return {
    min: countOf(field('min')),
    max: field('max').json === null ? null : countOf(field('max')),
    inner: oneOf(field('inner'), ['consecutive', 'relaxed', 'combinations']),
    ...maybe(field('preference'), 'preference', (preference) => oneOf(preference, ['greedy', 'reluctant'])),
    ...maybe(field('until'), 'until', (until) => readCondition(until, reading)),
    ...maybe(field('within'), 'within', countOf),
  };
}

function readAfterMatch(part: Part): AfterMatchNode {
  const field = fieldsOf(part, ['skip', 'step', 'throwOnMiss']);
  const skip = oneOf(field('skip'), ['none', 'toNext', 'pastLast', 'toFirst', 'toLast']);
  if (skip === 'none' || skip === 'toNext' || skip === 'pastLast') {
    fieldsOf(part, ['skip']);
    return { skip };
  }
  return { skip, step: textOf(field('step')), ...maybe(field('throwOnMiss'), 'throwOnMiss', readFlag) };
}

function readTrue({ json, path }: Part): true {
  if (json === true) return true;
  throw malformedPattern(path, 'it is not true', 'Write true, or leave it out.');
}

function readFlag({ json, path }: Part): boolean {
  if (typeof json === 'boolean') return json;
  throw malformedPattern(path, 'it is neither true nor false', 'Write true or false.');
}
