import { MAX_TIMESTAMP } from '@millrace/core';
import { compilePattern } from '../automaton/compilePattern.ts';
import { afterMatchNode } from '../pattern/afterMatch.ts';
import type { Complete, Matched } from '../pattern/matched.ts';
import { PatternTrace } from '../trace/patternTrace.ts';
import type { TraceStep } from '../trace/traceStep.ts';
import type { MatchesOptions } from './trial.ts';

/**
 * What becomes of each partial match of a pattern in a list of events of one key, in time order, and why each died.
 *
 * @throws MillraceError `cep/…` for a pattern that cannot work.
 * @example
 * const pair = pattern<string>().begin('a').where((e) => e === 'a').next('b').where((e) => e === 'b');
 * console.log(trace(pair, ['a', 'c']).at(-1)!.text); // 1 a@0: dies (contiguity): the next event is not "b"
 */
export function trace<T, M extends Matched>(
  { node }: Complete<T, M>,
  events: readonly T[],
  options: MatchesOptions<T, M> = {},
): TraceStep<M>[] {
  const { time, afterMatch, emit = 'all', maxPartials, compat } = options;
  const strategy = (afterMatch === undefined ? node.afterMatch : afterMatchNode(afterMatch)) ?? { skip: 'none' };
  const steps: TraceStep<M>[] = [];
  const log = (step: TraceStep<M>): void => void steps.push(step);
  const traced = new PatternTrace<M>(compilePattern(node, compat), { afterMatch: strategy, emit, maxPartials }, { keys: [KEY], log });
  for (const [at, event] of events.entries()) traced.event(KEY, event, time === undefined ? at : time(event));
  traced.advance(MAX_TIMESTAMP);
  return steps;
}

/** All events are of one key. */
const KEY = 0;
