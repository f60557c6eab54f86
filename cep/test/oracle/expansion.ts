import type { Condition } from '../../src/pattern/condition.ts';
import type { EventNode, InnerLink, Link, NotNode, SequenceNode, StepNode, TimesNode } from '../../src/pattern/pattern.ts';

/** Whether an event satisfies something, given what was taken before it by step. */
export type Ask = (event: never, soFar: Readonly<Record<string, readonly unknown[]>>) => boolean;

/** What a pattern says when every loop, option and branch is decided: a line of events and of what must not happen between them. */
export type Item =
  | {
      readonly kind: 'take';
      readonly step: string;
      readonly own: Ask;
      readonly link: 'next' | 'relaxed' | 'any';
      readonly gap: number;
      /** No event up to and including the one taken. */
      readonly never: readonly Ask[];
      /** Not the very next event. */
      readonly notFirst: readonly Ask[];
    }
  | { readonly kind: 'not'; readonly first: boolean; readonly what: Ask; readonly withinPrevious: number }
  | { readonly kind: 'absent'; readonly what: Ask; readonly duration: number }
  | { readonly kind: 'leftOut' }
  /** The line goes on, but there are no events for it. */
  | { readonly kind: 'cut' }
  | { readonly kind: 'greedy'; readonly what: Ask; readonly until: Ask | undefined };

export function askOf(condition: Condition | undefined): Ask {
  if (condition === undefined) return () => true;
  if ('and' in condition) return every(condition.and.map(askOf));
  if ('or' in condition) return some(condition.or.map(askOf));
  if ('function' in condition) return (event, soFar) => condition.function(event, soFar as never, { timestamp: 0 });
  if ('equal' in condition) {
    const { of, step, to } = condition.equal;
    return (event: Readonly<Record<string, unknown>>, soFar) =>
      soFar[step]?.[0] !== undefined && (soFar[step][0] as Readonly<Record<string, unknown>>)[to as string] === event[of as string];
  }
  throw new Error('not in this test');
}

const every =
  (asks: readonly Ask[]): Ask =>
  (event, soFar) =>
    asks.every((ask) => ask(event, soFar));
const some =
  (asks: readonly Ask[]): Ask =>
  (event, soFar) =>
    asks.some((ask) => ask(event, soFar));
const no =
  (ask: Ask): Ask =>
  (event, soFar) =>
    !ask(event, soFar);

const LINKS: Readonly<Record<Link | InnerLink, 'next' | 'relaxed' | 'any'>> = {
  begin: 'any',
  next: 'next',
  followedBy: 'relaxed',
  followedByAny: 'any',
  consecutive: 'next',
  relaxed: 'relaxed',
  combinations: 'any',
};

interface Head {
  readonly link: 'next' | 'relaxed' | 'any';
  readonly gap: number;
  readonly never: readonly Ask[];
  readonly notFirst: readonly Ask[];
}

interface Place {
  /** Until conditions of the loops around. */
  readonly ends: readonly Ask[];
  /** In place of the link of the first step: how the group is entered. */
  readonly head?: Head | undefined;
  /** How the loop of the first step goes on, where a group says so. */
  readonly inner?: InnerLink | undefined;
  readonly following: readonly StepNode[];
}

/** All lines of a sequence with up to `budget` events; those that would need more are cut. */
export function* lines(sequence: SequenceNode, budget: number): Iterable<readonly Item[]> {
  yield* sequenceLines(sequence.steps, { ends: [], following: [] }, budget);
}

function* sequenceLines(steps: readonly StepNode[], place: Place, budget: number): Iterable<readonly Item[]> {
  if (budget < 0) return;
  const [step, ...rest] = steps;
  if (step === undefined) return void (yield []);
  for (const line of stepLines(step, { ...place, following: rest }, budget)) {
    if (takes(line) >= budget && rest.length > 0) yield [...line, { kind: 'cut' }];
    else for (const more of sequenceLines(rest, { ends: place.ends, following: [] }, budget - takes(line))) yield [...line, ...more];
  }
}

function takes(line: readonly Item[]): number {
  return line.filter(({ kind }) => kind === 'take').length;
}

type Taking = Exclude<StepNode, NotNode>;

const ONCE: TimesNode = { min: 1, max: 1, inner: 'relaxed' };

function* stepLines(step: StepNode, place: Place, budget: number): Iterable<readonly Item[]> {
  if (step.kind !== 'not') return yield* takingLines(step, place, budget);
  const what = askOf(step.where);
  if (step.link === 'absent') yield [{ kind: 'absent', what, duration: step.duration! }];
  else yield [{ kind: 'not', first: step.link === 'next', what, withinPrevious: step.withinPrevious ?? Infinity }];
}

function* takingLines(step: Taking, place: Place, budget: number): Iterable<readonly Item[]> {
  const { times = ONCE, optional } = step;
  const isOptional = optional === true || times.min === 0;
  const until = times.until === undefined ? undefined : askOf(times.until);
  const tail: readonly Item[] = times.preference === 'greedy' ? [{ kind: 'greedy', what: some(firsts(step, place.ends)), until }] : [];
  if (isOptional) yield [{ kind: 'leftOut' }, ...tail];
  const own: Head = place.head ?? { link: LINKS[step.link], gap: windowOf(step.withinPrevious), never: place.ends, notFirst: [] };
  const first: Head = { ...own, never: [...own.never, ...(isOptional ? reluctance(times, place) : [])] };
  const ends = until === undefined || step.kind === 'event' ? place.ends : [...place.ends, until];
  const most = Math.min(times.max ?? budget, budget);
  const grow = function* (n: number, line: readonly Item[]): Iterable<readonly Item[]> {
    if (n > most) return;
    for (const round of roundLines(step, { ...place, ends }, n === 1 ? first : stay(n, times, place), budget - takes(line))) {
      const grown = [...line, ...round];
      if (takes(grown) >= budget) yield [...grown, { kind: 'cut' }];
      else {
        if (n >= times.min) yield [...grown, ...tail];
        yield* grow(n + 1, grown);
      }
    }
  };
  yield* grow(1, []);
}

/** How the n-th round of a loop is entered. */
function stay(n: number, times: TimesNode, place: Place): Head {
  const end = place.following.findIndex(({ kind }) => kind !== 'not');
  const nots = place.following.slice(0, end < 0 ? undefined : end).filter((each) => each.kind === 'not');
  const ofLink = (wanted: NotNode['link']): Ask[] => nots.filter(({ link }) => link === wanted).map(({ where }) => askOf(where));
  const until = times.until === undefined ? [] : [askOf(times.until)];
  return {
    link: LINKS[place.inner ?? times.inner],
    gap: windowOf(times.within),
    never: [...place.ends, ...until, ...ofLink('followedBy'), ...(n > Math.max(times.min, 1) ? reluctance(times, place) : [])],
    notFirst: ofLink('next'),
  };
}

function reluctance({ preference }: TimesNode, place: Place): readonly Ask[] {
  return preference === 'reluctant' ? nextFirsts(place) : [];
}

function* roundLines(step: Taking, place: Place, head: Head, budget: number): Iterable<readonly Item[]> {
  if (budget < 1) return;
  switch (step.kind) {
    case 'event':
      return void (yield [{ kind: 'take', step: step.name, own: ownOf(step, place.ends), ...head }]);
    case 'group':
      return yield* sequenceLines(
        step.body.steps,
        { ends: place.ends, head, inner: step.times?.inner ?? 'relaxed', following: [] },
        budget,
      );
    case 'either':
      for (const branch of step.branches) yield* sequenceLines(branch.steps, { ends: place.ends, head, following: [] }, budget);
      return;
    case 'all':
      for (const order of permutations(step.events)) {
        yield order.map((event, at) => ({
          kind: 'take' as const,
          step: event.name,
          own: ownOf(event, place.ends),
          ...(at === 0 ? head : { link: 'relaxed' as const, gap: windowOf(event.withinPrevious), never: place.ends, notFirst: [] }),
        }));
      }
  }
}

function windowOf(duration: number | undefined): number {
  return duration === undefined || duration === 0 ? Infinity : duration;
}

/** A step's own condition: nothing that ends a loop is taken by it. */
function ownOf({ where, times }: EventNode, ends: readonly Ask[]): Ask {
  return every([askOf(where), ...ends.map(no), ...(times?.until === undefined ? [] : [no(askOf(times.until))])]);
}

function firsts(step: StepNode, ends: readonly Ask[]): readonly Ask[] {
  if (step.kind === 'not') return [];
  if (step.kind === 'event') return [ownOf(step, ends)];
  const inside = step.times?.until === undefined ? ends : [...ends, askOf(step.times.until)];
  if (step.kind === 'all') return step.events.map((event) => ownOf(event, inside));
  const bodies = step.kind === 'group' ? [step.body] : step.branches;
  return bodies.flatMap(({ steps }) => {
    const until = steps.findIndex((each) => each.kind !== 'not' && each.optional !== true && each.times?.min !== 0);
    return steps.slice(0, until + 1).flatMap((each) => firsts(each, inside));
  });
}

function nextFirsts({ following, ends }: Place): readonly Ask[] {
  const next = following.find(({ kind }) => kind !== 'not');
  return next === undefined ? [] : firsts(next, ends);
}

function* permutations<V>(values: readonly V[]): Iterable<readonly V[]> {
  if (values.length === 0) return void (yield []);
  for (const [at, value] of values.entries()) for (const rest of permutations(values.toSpliced(at, 1))) yield [value, ...rest];
}
