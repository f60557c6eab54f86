import { type AfterMatch, type Complete, type Matched, pattern } from '../src/index.ts';
import { conditionOf } from './conditions.ts';
import type { TableEvent, TablePattern, TableStep } from './table.ts';

/** The language without its types: a table says at run time what follows what. */
type Verbs = Complete<TableEvent, Matched>;
type Verb = (...args: unknown[]) => Verbs;

/** A pattern of the table, built by the public builder. */
export function patternOf({ skip, steps }: TablePattern): Complete<TableEvent, Matched> {
  const built = sequenceOf(steps);
  const windows = windowsOf(steps);
  const limited = windows.length === 0 ? built : call(built, 'within', { milliseconds: Math.min(...windows) });
  return skip === undefined ? limited : call(limited, 'afterMatch', strategyOf(skip));
}

function call(on: object, verb: string, ...args: unknown[]): Verbs {
  return (on as unknown as Record<string, Verb>)[verb]!(...args);
}

function windowsOf(steps: readonly TableStep[]): number[] {
  return steps.flatMap(({ within, group = [] }) => [...(within === undefined ? [] : [within]), ...windowsOf(group)]);
}

function sequenceOf(steps: readonly TableStep[]): Verbs {
  let built = pattern<TableEvent>() as unknown as Verbs;
  for (const step of steps) built = quantified(call(built, step.link, step.group === undefined ? step.name : sequenceOf(step.group)), step);
  return built;
}

function quantified(built: Verbs, step: TableStep): Verbs {
  const { where, times, until, greedy, optional, withinPrev } = step;
  const verbs: (readonly [string, ...unknown[]])[] = [];
  if (where !== undefined) verbs.push(['where', conditionOf(where)]);
  if (times !== undefined) verbs.push(...loopVerbs(times, optional === true));
  if (until !== undefined) verbs.push(['until', conditionOf(until)]);
  if (greedy === true) verbs.push(['greedy']);
  if (optional === true) verbs.push(['optional']);
  if (withinPrev !== undefined) verbs.push(['withinPrevious', { milliseconds: withinPrev }]);
  return verbs.reduce((result, [verb, ...args]) => call(result, verb, ...args), built);
}

function loopVerbs({ min, max, inner, window }: NonNullable<TableStep['times']>, isOptional: boolean): (readonly [string, ...unknown[]])[] {
  const within = { milliseconds: window ?? 0 };
  const options = window === undefined ? {} : { within };
  const verbs: (readonly [string, ...unknown[]])[] = [max === null ? ['timesOrMore', min, options] : ['times', min, max, options]];
  if (inner === 'consecutive') verbs.push(['consecutive']);
  if (inner === 'combinations') verbs.push(['allowCombinations']);
  // In the table, the window of a loop limits its first event as well, but for an optional loop.
  if (window !== undefined && !isOptional) verbs.push(['withinPrevious', within]);
  return verbs;
}

function strategyOf({ kind, to, throwOnMiss }: NonNullable<TablePattern['skip']>): AfterMatch<string> {
  const miss = throwOnMiss === undefined ? {} : { throwOnMiss };
  switch (kind) {
    case 'noSkip':
      return 'noSkip';
    case 'skipToNext':
      return 'toNext';
    case 'skipPastLastEvent':
      return 'pastLast';
    case 'skipToFirst':
      return { toFirst: to!, ...miss };
    case 'skipToLast':
      return { toLast: to!, ...miss };
  }
}
