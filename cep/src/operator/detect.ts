import { type Key, type KeyedStream, type OperatorStream, formatDuration } from '@millrace/core';
import { compilePattern } from '../automaton/compilePattern.ts';
import { chooseExecutor } from '../executors/chooseExecutor.ts';
import { lookupsOf } from '../explain/explain.ts';
import { afterMatchNode } from '../pattern/afterMatch.ts';
import type { Complete, Matched } from '../pattern/matched.ts';
import { PatternTrace } from '../trace/patternTrace.ts';
import { detectOperator } from './detectOperator.ts';
import type { DetectOptions, MatchContext } from './options.ts';

/** What `detect` makes: results, runs whose time was over, and events that came too late. */
export type Detected<R, T, M> = OperatorStream<R, { timedOut: Partial<M>; late: T }>;

/**
 * Looks for a pattern in the events of each key: `keyed.pipe(detect(pattern, select))`. In event time, matches do not depend on the order in
 * which events come: they are sorted up to the watermark, and what comes behind it goes to `late`.
 *
 * @throws MillraceError `cep/…` for a pattern that cannot work.
 * @example
 * interface Login { user: string; ok: boolean; at: number }
 * const guessed = pattern<Login>()
 *   .begin('failures').where((e) => !e.ok).times(2).consecutive()
 *   .next('success').where((e) => e.ok)
 *   .within({ minutes: 1 });
 * const logins = new StreamEnvironment().from(fromArray([
 *   { user: 'eve', ok: false, at: 0 }, { user: 'eve', ok: false, at: 1_000 }, { user: 'eve', ok: true, at: 2_000 },
 * ]), { time: { timestamp: (e) => e.at } });
 * const alerts = logins.keyBy((e) => e.user).pipe(detect(guessed, ({ failures }, { key }) => `${key} after ${failures.length}`, { uid: 'guessed' }));
 * console.log(await alerts.collect()); // [ 'eve after 2' ]
 */
export function detect<T, M extends Matched, R, K extends Key>(
  pattern: Complete<T, M>,
  select: (event: T, context: MatchContext<K>) => R,
  options: DetectOptions<T, M> & { readonly emit: 'exists' },
): (stream: KeyedStream<K, T>) => Detected<R, T, M>;
export function detect<T, M extends Matched, R, K extends Key>(
  pattern: Complete<T, M>,
  select: (match: M, context: MatchContext<K>) => R,
  options?: DetectOptions<T, M>,
): (stream: KeyedStream<K, T>) => Detected<R, T, M>;
export function detect<T, M extends Matched, R, K extends Key>(
  pattern: Complete<T, M>,
  select: (match: never, context: MatchContext<K>) => R,
  options: DetectOptions<T, M> = {},
): (stream: KeyedStream<K, T>) => Detected<R, T, M> {
  const { node } = pattern;
  const { afterMatch, emit = 'all', maxPartials, time = 'eventTime', compare, compat, trace } = options;
  const automaton = compilePattern(node, compat);
  const strategy = (afterMatch === undefined ? node.afterMatch : afterMatchNode(afterMatch)) ?? { skip: 'none' };
  const asked = { afterMatch: strategy, emit, maxPartials };
  const form = chooseExecutor(automaton, asked);
  const operator = detectOperator({
    automaton,
    form,
    time,
    compare,
    select: select as (match: never, context: MatchContext) => unknown,
    selectsEvent: emit === 'exists',
    stampsWatermark: compat === 'flink',
    trace: trace && (() => new PatternTrace(automaton, asked, trace)),
  });
  const lookups = lookupsOf(automaton);
  const details = {
    steps: automaton.steps.join(', '),
    ...(automaton.within !== Infinity && { within: formatDuration(automaton.within) }),
    executor: `${form.name}: ${form.reason}`,
    ...(lookups.length > 0 && { lookups: lookups.join('; ') }),
  };
  const traits = { stateful: true, ...(time === 'eventTime' && { needsEventTime: true }) };
  return (stream) => stream.transform<R, { timedOut: Partial<M>; late: T }>(operator, { ...options, kind: 'detect', traits, details });
}
