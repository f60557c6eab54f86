import { type Duration, toMilliseconds } from '@millrace/core';
import type { Condition, ConditionFunction, ExpressionCondition, Property } from './condition.ts';
import { afterMatchNode } from './afterMatch.ts';
import { invalidPattern } from './invalid.ts';
import type { AfterMatch, Beginning, TimesOptions } from './language.ts';
import type { Complete, Matched } from './matched.ts';
import type {
  AfterMatchNode,
  EventNode,
  GroupNode,
  InnerLink,
  Link,
  NotNode,
  PatternNode,
  StepNode,
  TakingNode,
  TimesNode,
} from './pattern.ts';
import { patternJson } from './patternJson.ts';
import { nameOf } from './stepName.ts';
import { validatePattern } from './validation.ts';

/**
 * Begins a pattern over events of a type. Every verb gives a new pattern; the old one can be used further.
 *
 * @example
 * interface Payment { card: string; cents: number }
 * const probing = pattern<Payment>()
 *   .begin('small').where((p) => p.cents < 100).oneOrMore()
 *   .followedBy('large').where((p) => p.cents > 50_000)
 *   .within({ minutes: 10 });
 * console.log(probing.node.sequence.steps.map((step) => step.kind)); // [ 'event', 'event' ]
 */
export function pattern<T>(): Beginning<T> {
  return { begin: (first: unknown) => START.take('begin', first) } as unknown as Beginning<T>;
}

type Named = EventNode | NotNode;
type Test = ConditionFunction | ExpressionCondition;

/** What all verbs of the language do. Immutable; which of them a step has is told by the interfaces in language.ts. */
class PatternBuilder {
  private readonly steps: readonly StepNode[];
  private readonly window: number | undefined;
  private readonly strategy: AfterMatchNode | undefined;
  private checked: PatternNode | undefined;

  constructor(steps: readonly StepNode[], window?: number, strategy?: AfterMatchNode) {
    this.steps = steps;
    this.window = window;
    this.strategy = strategy;
  }

  get node(): PatternNode {
    return (this.checked ??= validatePattern({
      version: 1,
      sequence: { steps: this.steps, ...(this.window !== undefined && { within: this.window }) },
      ...(this.strategy !== undefined && { afterMatch: this.strategy }),
    }));
  }

  toJSON(): unknown {
    return patternJson(this.node);
  }

  next(what: unknown): PatternBuilder {
    return this.take('next', what);
  }

  followedBy(what: unknown): PatternBuilder {
    return this.take('followedBy', what);
  }

  followedByAny(what: unknown): PatternBuilder {
    return this.take('followedByAny', what);
  }

  notNext(name: string): PatternBuilder {
    return this.append({ kind: 'not', link: 'next', name });
  }

  notFollowedBy(name: string): PatternBuilder {
    return this.append({ kind: 'not', link: 'followedBy', name });
  }

  take(link: Link, what: unknown): PatternBuilder {
    return this.append(
      typeof what === 'string' ? { kind: 'event', link, name: what } : asStep(link, (what as Complete<never, Matched>).node),
    );
  }

  where(test: Test): PatternBuilder {
    return this.condition(
      (before, more) => (before === undefined ? more : { and: [...('and' in before ? before.and : [before]), more] }),
      test,
    );
  }

  or(test: Test): PatternBuilder {
    return this.condition(
      (before, more) => (before === undefined ? more : { or: [...('or' in before ? before.or : [before]), more] }),
      test,
    );
  }

  whereEqual(of: Property, step: string, to: Property = of): PatternBuilder {
    const named = this.lastNamed('whereEqual');
    const equal: Condition = { equal: { of, step, to } };
    const { where } = named;
    return this.replace({ ...named, where: where === undefined ? equal : { and: [...('and' in where ? where.and : [where]), equal] } });
  }

  oneOrMore(options?: TimesOptions): PatternBuilder {
    return this.quantify(1, null, options);
  }

  timesOrMore(n: number, options?: TimesOptions): PatternBuilder {
    return this.quantify(n, null, options);
  }

  times(from: number, second?: number | TimesOptions, third?: TimesOptions): PatternBuilder {
    return typeof second === 'number' ? this.quantify(from, second, third) : this.quantify(from, from, second);
  }

  optional(): PatternBuilder {
    const step = this.lastTaking('optional');
    if (step.optional === true) throw invalidPattern('optional', nameOf(step), 'optional is said twice.', 'Say it once.');
    return this.replace({ ...step, optional: true });
  }

  consecutive(): PatternBuilder {
    return this.innerLink('consecutive');
  }

  allowCombinations(): PatternBuilder {
    return this.innerLink('combinations');
  }

  greedy(): PatternBuilder {
    return this.preference('greedy');
  }

  reluctant(): PatternBuilder {
    return this.preference('reluctant');
  }

  until(test: Test): PatternBuilder {
    const step = this.lastTaking('until');
    const times = loopOf(step, 'until');
    if (times.until !== undefined)
      throw invalidPattern('until', nameOf(step), 'until is said twice.', 'Say it once, with both conditions in it.');
    return this.replace({ ...step, times: { ...times, until: asCondition(test) } });
  }

  withinPrevious(duration: Duration): PatternBuilder {
    const last = this.last('withinPrevious');
    return this.replace({ ...last, withinPrevious: toMilliseconds(duration, `withinPrevious of step "${nameOf(last)}"`) });
  }

  absentFor(duration: Duration): PatternBuilder {
    const last = this.lastNamed('absentFor');
    if (last.kind !== 'not' || last.link !== 'followedBy')
      throw invalidPattern(
        'not-step',
        last.name,
        'absentFor is said of a step that is no notFollowedBy.',
        'Begin the absence with notFollowedBy(name).',
      );
    return this.replace({ ...last, link: 'absent', duration: toMilliseconds(duration, `absentFor of step "${last.name}"`) });
  }

  within(duration: Duration): PatternBuilder {
    const window = toMilliseconds(duration, 'within');
    return new PatternBuilder(this.steps, Math.min(window, this.window ?? Infinity), this.strategy);
  }

  afterMatch(strategy: AfterMatch<string>): PatternBuilder {
    return new PatternBuilder(this.steps, this.window, afterMatchNode(strategy));
  }

  private append(step: StepNode): PatternBuilder {
    return new PatternBuilder([...this.steps, step], this.window, this.strategy);
  }

  private replace(step: StepNode): PatternBuilder {
    return new PatternBuilder([...this.steps.slice(0, -1), step], this.window, this.strategy);
  }

  private condition(combine: (before: Condition | undefined, more: Condition) => Condition, test: Test): PatternBuilder {
    const named = this.lastNamed('where');
    return this.replace({ ...named, where: combine(named.where, asCondition(test)) });
  }

  private quantify(min: number, max: number | null, { within }: TimesOptions = {}): PatternBuilder {
    const step = this.lastTaking('a quantifier');
    if (step.times !== undefined)
      throw invalidPattern('quantifier', nameOf(step), 'It has two quantifiers.', 'Keep one of them; optional may stand beside it.');
    const gap = within === undefined ? {} : { within: toMilliseconds(within, `within of step "${nameOf(step)}"`) };
    return this.replace({ ...step, times: { min, max, inner: 'relaxed', ...gap } });
  }

  private innerLink(inner: InnerLink): PatternBuilder {
    const step = this.lastTaking(inner);
    const times = loopOf(step, inner === 'consecutive' ? 'consecutive' : 'allowCombinations');
    if (times.inner !== 'relaxed')
      throw invalidPattern(
        'quantifier',
        nameOf(step),
        'It says twice how events of the loop follow each other.',
        'Choose consecutive or allowCombinations.',
      );
    return this.replace({ ...step, times: { ...times, inner } });
  }

  private preference(preference: 'greedy' | 'reluctant'): PatternBuilder {
    const step = this.lastTaking(preference);
    const times = loopOf(step, preference);
    if (times.preference !== undefined) throw invalidPattern('greedy', nameOf(step), 'greedy or reluctant is said twice.', 'Choose one.');
    return this.replace({ ...step, times: { ...times, preference } });
  }

  private last(verb: string): StepNode {
    const last = this.steps.at(-1);
    if (last !== undefined) return last;
    throw invalidPattern('malformed', '', `${verb} before any step.`, 'Begin with pattern().begin(name).');
  }

  private lastTaking(verb: string): Exclude<StepNode, NotNode> {
    const last = this.last(verb);
    if (last.kind !== 'not') return last;
    throw invalidPattern(
      'not-step',
      last.name,
      `${verb} cannot be said of what must not happen.`,
      'Give the quantifier to a step that takes events.',
    );
  }

  private lastNamed(verb: string): Named {
    const last = this.last(verb);
    if (last.kind === 'event' || last.kind === 'not') return last;
    throw invalidPattern('condition', nameOf(last), `${verb} is said of a group.`, 'Give the condition to the steps inside.');
  }
}

const START = new PatternBuilder([]);

/** @internal The class of all patterns, for those that are made from a tree. */
export function patternOf(node: PatternNode): PatternBuilder {
  const { sequence, afterMatch } = node;
  return new PatternBuilder(sequence.steps, sequence.within, afterMatch);
}

function asStep(link: Link, { sequence, afterMatch }: PatternNode): StepNode {
  const [only, ...more] = sequence.steps;
  if (afterMatch !== undefined)
    throw invalidPattern('malformed', nameOf(only!), 'A group has an afterMatch of its own.', 'Say afterMatch of the whole pattern.');
  // What either() and all() make is a step already.
  if (
    more.length === 0 &&
    only!.kind !== 'event' &&
    only!.kind !== 'not' &&
    only!.kind !== 'group' &&
    isBare(only!) &&
    sequence.within === undefined
  )
    return { ...only!, link };
  return { kind: 'group', link, body: sequence } satisfies GroupNode;
}

function isBare({ times, optional, withinPrevious }: TakingNode): boolean {
  return times === undefined && optional === undefined && withinPrevious === undefined;
}

function loopOf(step: Exclude<StepNode, NotNode>, verb: string): TimesNode {
  if (step.times !== undefined) return step.times;
  const problem = verb === 'until' ? 'until' : verb === 'greedy' || verb === 'reluctant' ? 'greedy' : 'quantifier';
  throw invalidPattern(
    problem,
    nameOf(step),
    `${verb} is said of a step that is taken once.`,
    'Give it a quantifier before: oneOrMore(), times(n).',
  );
}

function asCondition(test: Test): Condition {
  if (typeof test !== 'function') return test;
  return { function: test, ...(test.name !== '' && { name: test.name }) };
}
