import type { Matched } from '../src/index.ts';
import { type PatternTrial, trial } from '../src/testing.ts';
import { patternOf } from './patterns.ts';
import type { PatternCase, TableEvent, TableMatch, TableOp } from './table.ts';
import { asSet, asText, type Outcome } from './outcome.ts';

/** What came out of a case, with the operation that brought it. */
interface Produced {
  readonly matches: readonly { readonly match: TableMatch; readonly at: TableOp }[];
  readonly timedOut: readonly { readonly partial: TableMatch; readonly timeoutTs: number; readonly at: TableOp }[];
  readonly error: string | undefined;
}

/** A case of `cases` and `randomCases`: matches, when they came, and time-outs. */
export function runPatternCase(given: PatternCase): Outcome {
  const { matches, timedOut, error } = produce(given);
  if (given.expectedError !== undefined) return { expected: 'an error', actual: error === undefined ? 'none' : 'an error', note: error };
  if (error !== undefined) return { expected: given.expected, actual: error };
  const expected = given.expected.map((match, i) => tagged(match, given.emittedAt?.[i]));
  const actual = matches.map(({ match, at }) => tagged(match, given.emittedAt === undefined ? undefined : at));
  const isSet = given.pattern.steps.some((step) => step.group !== undefined);
  const outcome = { expected: isSet ? asSet(expected) : expected.toSorted(), actual: isSet ? asSet(actual) : actual.toSorted() };
  if (given.expectedTimeouts === undefined || asText(outcome.expected) !== asText(outcome.actual)) return outcome;
  const expectedTimeouts = timeoutsOf(given.expectedTimeouts);
  const actualTimeouts = timeoutsOf(timedOut);
  if (asText(expectedTimeouts) === asText(actualTimeouts) || !JSON.stringify(given.pattern).includes('withinPrev'))
    return { expected: expectedTimeouts, actual: actualTimeouts };
  // Flink does not tell of every run whose gap is over: its answer is that under compat.
  return { expected: expectedTimeouts, actual: timeoutsOf(produce(given, 'flink').timedOut) };
}

function timeoutsOf(timeouts: Produced['timedOut'] | NonNullable<PatternCase['expectedTimeouts']>): string[] {
  return asSet(timeouts.map(({ partial, timeoutTs, at }) => `timeout ${timeoutTs} ${tagged(partial, at)}`));
}

/** A case of `quirks`: the declarative answer. */
export function runQuirk(given: PatternCase): Outcome {
  const { matches, error } = produce(given);
  if (error !== undefined) return { expected: given.declarativeSpecWouldGive, actual: error };
  return {
    expected: asSet(given.declarativeSpecWouldGive!.map(([match, event]) => tagged(match, { event }))),
    actual: asSet(matches.map(({ match, at }) => tagged(match, at))),
  };
}

function tagged(match: TableMatch, at: TableOp | undefined): string {
  const steps = Object.keys(match)
    .toSorted()
    .map((step) => `${step}=${match[step]!.join(',')}`);
  return `${steps.join(' ')}${at === undefined ? '' : ` @${JSON.stringify(at)}`}`;
}

function produce(given: PatternCase, compat?: 'flink'): Produced {
  const matches: { match: TableMatch; at: TableOp }[] = [];
  const timedOut: { partial: TableMatch; timeoutTs: number; at: TableOp }[] = [];
  const events = new Map(given.events.map((event) => [event.id, event]));
  try {
    const tried: PatternTrial<TableEvent, Matched> = trial(patternOf(given.pattern), compat && { compat });
    for (const op of given.ops ?? given.events.flatMap(({ id, ts }): TableOp[] => [{ advanceTime: ts }, { event: id }])) {
      if ('advanceTime' in op) tried.advance(op.advanceTime);
      else tried.event(events.get(op.event)!, events.get(op.event)!.ts);
      for (const { match } of tried.takeMatches()) matches.push({ match: idsOf(match), at: op });
      for (const { match, at } of tried.takeTimedOut()) timedOut.push({ partial: idsOf(match as Matched), timeoutTs: at, at: op });
    }
  } catch (error) {
    return { matches, timedOut, error: (error as Error).message };
  }
  return { matches, timedOut, error: undefined };
}

/** Ids of the events by step; steps that took none are left out. */
export function idsOf(match: Matched): TableMatch {
  return Object.fromEntries(
    Object.entries(match)
      .filter(([, events]) => events.length > 0)
      .map(([step, events]) => [step, events.map((event) => (event as TableEvent).id)]),
  );
}
