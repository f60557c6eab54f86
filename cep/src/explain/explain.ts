import { formatDuration } from '@millrace/core';
import { type Automaton, type Guard, KIND_NAMES, TIMED, type Transition } from '../automaton/automaton.ts';
import { compilePattern } from '../automaton/compilePattern.ts';
import { chooseExecutor } from '../executors/chooseExecutor.ts';
import type { DetectOptions } from '../operator/options.ts';
import { afterMatchNode } from '../pattern/afterMatch.ts';
import type { Complete, Matched } from '../pattern/matched.ts';
import { isNullable, namedSteps } from '../pattern/steps.ts';
import type { PatternNode } from '../pattern/pattern.ts';

/** What a pattern is compiled to. */
export interface PatternExplanation {
  /** Which executor follows it, and why that one. */
  readonly executor: 'runs' | 'compact';
  readonly reason: string;
  /** How many predicates are asked of an event at most, once each. */
  readonly predicates: number;
  readonly states: readonly string[];
  readonly transitions: readonly string[];
  /** Where partial matches are found by a value, instead of being asked one by one. */
  readonly lookups: readonly string[];
  /** It could match without any event; such a match is never given out. */
  readonly canBeEmpty: boolean;
  /** What could become costly. */
  readonly warnings: readonly string[];
}

/** The options of `detect` that decide how a pattern is followed. */
export type ExplainOptions<M> = Pick<DetectOptions<never, M>, 'afterMatch' | 'emit' | 'maxPartials' | 'compat'>;

/**
 * Says what a pattern is compiled to, and which executor follows it.
 *
 * @throws MillraceError `cep/…` for a pattern that cannot work.
 * @example
 * const pair = pattern<number>().begin('one').where((n) => n === 1).next('two').where((n) => n === 2);
 * console.log(explain(pair).transitions); // [ '(start) -> one: one', 'one -> two: next two' ]
 */
export function explain<M extends Matched>({ node }: Complete<never, M>, options: ExplainOptions<M> = {}): PatternExplanation {
  const { afterMatch, emit = 'all', maxPartials, compat } = options;
  const automaton = compilePattern(node, compat);
  const strategy = (afterMatch === undefined ? node.afterMatch : afterMatchNode(afterMatch)) ?? { skip: 'none' };
  const { name, reason } = chooseExecutor(automaton, { afterMatch: strategy, emit, maxPartials });
  return {
    executor: name,
    reason,
    predicates: automaton.unary.length,
    states: automaton.states.map(({ label, accepts }) => (accepts ? `${label} (match)` : label)),
    transitions: automaton.transitions.map(
      (transition) => `${nameOf(automaton, transition.from)} -> ${nameOf(automaton, transition.to)}: ${labelOf(automaton, transition)}`,
    ),
    lookups: lookupsOf(automaton),
    canBeEmpty: node.sequence.steps.every(isNullable),
    warnings: warningsOf(node, automaton),
  };
}

/** Where runs are found by a value: those that an event can move on, or end. */
export function lookupsOf(automaton: Automaton): string[] {
  const { transitions, correlations } = automaton;
  return transitions.flatMap(({ from, to, index }) =>
    index < 0 ? [] : [`${nameOf(automaton, from)} -> ${nameOf(automaton, to)}: ${correlations[index]!.text}`],
  );
}

/** What people call a state; −1 is the start. */
export function nameOf({ states }: Automaton, state: number): string {
  return state < 0 ? '(start)' : states[state]!.label;
}

/** A transition in words: how, what it takes, and what must not happen. */
export function labelOf(automaton: Automaton, { from, kind, take, kills, firstNot, firstMust, gap, after }: Transition): string {
  const all = (guards: readonly Guard[]): string => guards.map((guard) => guardText(automaton, guard)).join(', ');
  const parts = [kind === TIMED ? lasting(automaton, after) : `${from < 0 ? '' : `${KIND_NAMES[kind]} `}${guardText(automaton, take)}`];
  if (kills.length > 0) parts.push(`unless ${all(kills)}`);
  if (firstNot.length > 0) parts.push(`if the next is not ${all(firstNot)}`);
  if (firstMust.length > 0) parts.push(`if the next is ${all(firstMust)}`);
  if (gap !== Infinity) parts.push(`within ${formatDuration(gap)}`);
  return parts.join(', ');
}

function lasting({ within }: Automaton, after: number): string {
  return after === Infinity ? `at the end of the window (${formatDuration(within)})` : `after ${formatDuration(after)}`;
}

/** A condition in words. */
export function guardText({ unary, residual }: Automaton, guard: Guard): string {
  const parts = [...(guard.unary < 0 ? [] : [unary[guard.unary]!.text]), ...(guard.residual < 0 ? [] : [residual[guard.residual]!.text])];
  return parts.length === 0 ? 'any event' : parts.join(' and ');
}

function warningsOf(node: PatternNode, { within, steps }: Automaton): string[] {
  if (within !== Infinity) return [];
  const loops = [...namedSteps(node.sequence)].flatMap((step) => (step.kind === 'event' && step.times?.max === null ? [step.name] : []));
  const warnings = loops.map(
    (name) =>
      `Step "${name}" loops without end and the pattern has no window: partial matches are kept for ever. Say within(…) or until(…).`,
  );
  if (warnings.length === 0 && steps.length > 1)
    return ['The pattern has no window: partial matches that nothing ends are kept for ever. Say within(…).'];
  return warnings;
}
