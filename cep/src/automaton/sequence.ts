import { invalidPattern } from '../pattern/invalid.ts';
import type {
  AllNode,
  EitherNode,
  EventNode,
  GroupNode,
  InnerLink,
  Link,
  NotNode,
  SequenceNode,
  StepNode,
  TakingNode,
  TimesNode,
} from '../pattern/pattern.ts';
import { isNullable, namedSteps } from '../pattern/steps.ts';
import { ANY, type Compat, NEXT_EVENT, RELAXED, STRICT, TIMED, type TransitionKind } from './automaton.ts';
import { and, type Formula, type Formulas, not, TRUE } from './formula.ts';
import { ACCEPT, type Continuation, continuation, type DraftState, type Entry, fork, type Fragment, takesOf } from './fragment.ts';

const KINDS: Readonly<Record<Link | InnerLink, TransitionKind>> = {
  begin: ANY,
  next: STRICT,
  followedBy: RELAXED,
  followedByAny: ANY,
  consecutive: STRICT,
  relaxed: RELAXED,
  combinations: ANY,
};
/** Beyond this a pattern is taken for a mistake. */
const MOST_STATES = 10_000;

/** What holds inside loops around a step: what ends them, and so must not be taken either. */
interface Inside {
  readonly ends: readonly Formula[];
  /** Said behind the names of states: which round of the loops around. */
  readonly round: string;
  /** How events of a loop follow each other, where the group around says so for its first step. */
  readonly inner?: InnerLink | undefined;
}

/** A step built: its states are there, and can be entered in several ways. */
type Built = (entry: Entry) => Continuation;

/** Turns steps into states, from the last to the first: what follows a step is known when it is built. */
export class SequenceCompiler {
  readonly states: DraftState[] = [];
  /** Names of the steps that take events, in the order in which they are written. */
  readonly steps: readonly string[];
  private readonly sequenceNode: SequenceNode;
  private readonly formulas: Formulas;
  private readonly compat: Compat | undefined;

  constructor(sequence: SequenceNode, formulas: Formulas, compat: Compat | undefined) {
    this.sequenceNode = sequence;
    this.steps = [...namedSteps(sequence)].filter(({ kind }) => kind === 'event').map(({ name }) => name);
    this.formulas = formulas;
    this.compat = compat;
  }

  /** The whole pattern. */
  compile(): Fragment {
    const sequence = this.sequenceNode;
    const built = this.sequence(sequence.steps, { take: ACCEPT }, { ends: [], round: '' }, { isWhole: true });
    return continuation(built({ kind: ANY, gap: Infinity, kills: [] }));
  }

  private sequence(steps: readonly StepNode[], after: Continuation, inside: Inside, { isWhole = false, head }: SequencePlace): Built {
    let end = steps.length;
    let next = after;
    if (isWhole) {
      while (end > 0 && isOpenEnd(steps[end - 1]!)) end--;
      if (end < steps.length) next = { take: this.trailing(steps.slice(end) as NotNode[], inside) };
    }
    for (let at = end - 1; at > 0; at--) {
      const step = steps[at]!;
      if (step.kind === 'not') next = this.forbidden(step, steps.slice(0, at), next, inside);
      else next = this.step(step, next, inside, steps.slice(at + 1))(this.ownEntry(step, inside));
    }
    return this.step(steps[0] as Exclude<StepNode, NotNode>, next, { ...inside, inner: head }, steps.slice(1));
  }

  private ownEntry({ link, withinPrevious, times }: TakingNode, { ends }: Inside): Entry {
    // Flink knows the window only of the last state of a loop, and so does not tell when it is over for the first.
    const isQuiet = this.compat === 'flink' && times !== undefined && times.max !== 1;
    return { kind: KINDS[link], gap: windowOf(withinPrevious), kills: ends, isQuiet };
  }

  private forbidden(step: NotNode, before: readonly StepNode[], next: Continuation, inside: Inside): Continuation {
    const what = this.formulas.from(step.where, step.name);
    if (step.link === 'absent') {
      // What must not happen either before the next step holds beyond the absence.
      const onward = nearestNots(before, this.formulas).reduce<Fragment>(
        (fragment, each) => ({ kind: 'forbid', what: each, first: false, next: fragment }),
        continuation(next),
      );
      const elapsed = step.duration! + elapsedBefore(before);
      const state = this.add({
        step: -1,
        label: step.name,
        take: TRUE,
        after: step.duration!,
        confirms: false,
        elapsed,
        out: onward,
      });
      return { take: { kind: 'enter', state, entry: { kind: TIMED, gap: Infinity, kills: [what, ...inside.ends] } } };
    }
    const forbid = (fragment: Fragment): Fragment => ({ kind: 'forbid', what, first: step.link === 'next', next: fragment });
    return { take: forbid(next.take), skip: next.skip && forbid(next.skip) };
  }

  /** What must not happen after the last event: decided by the next event, or by time. */
  private trailing(nots: readonly NotNode[], inside: Inside): Fragment {
    const isLasting = nots.at(-1)!.link === 'followedBy';
    const after = isLasting ? windowOf(nots.at(-1)!.withinPrevious) : Infinity;
    const label = nots.map(({ name }) => name).join(', ');
    const state = this.add({ step: -1, label, take: TRUE, after, confirms: isLasting, elapsed: 0, out: ACCEPT });
    const enter: Fragment = { kind: 'enter', state, entry: { kind: isLasting ? TIMED : NEXT_EVENT, gap: Infinity, kills: inside.ends } };
    return nots.reduce<Fragment>(
      (next, { link, where, name }) => ({ kind: 'forbid', what: this.formulas.from(where, name), first: link === 'next', next }),
      enter,
    );
  }

  private step(step: Exclude<StepNode, NotNode>, next: Continuation, inside: Inside, following: readonly StepNode[]): Built {
    const isOptional = step.optional === true || step.times?.min === 0;
    const after: LoopEnd = {
      next: this.preferring(step, next, inside),
      nots: loopNots(following, 'followedBy', this.formulas),
      firstNots: loopNots(following, 'next', this.formulas),
    };
    const rounds = this.rounds(step, after, inside);
    if (!isOptional) return rounds;
    return (entry) => ({ take: this.reluctantly(step, rounds(entry).take, next), skip: continuation(after.next) });
  }

  /** A greedy step forbids the one after it to take what the loop can take. */
  private preferring(step: Exclude<StepNode, NotNode>, next: Continuation, inside: Inside): Continuation {
    if (step.times?.preference !== 'greedy') return next;
    const until = step.times.until === undefined ? undefined : this.formulas.from(step.times.until, untilName(step));
    const what = anyOf(this.firstTakes(step, inside));
    return { take: beforeStates(next.take, { what, until }), skip: next.skip };
  }

  private reluctantly(step: Exclude<StepNode, NotNode>, take: Fragment, next: Continuation): Fragment {
    if (step.times?.preference !== 'reluctant') return take;
    return takesOf(next.take).reduce<Fragment>((fragment, what) => ({ kind: 'forbid', what, first: false, next: fragment }), take);
  }

  /** The conditions of the events that a step can begin with. */
  private firstTakes(step: StepNode, inside: Inside): readonly Formula[] {
    switch (step.kind) {
      case 'event':
        return [this.takeOf(step, inside)];
      case 'not':
        return [];
      case 'all':
        return step.events.map((event) => this.takeOf(event, this.insideOf(step, inside)));
      case 'group':
        return this.firstOfSequence(step.body, this.insideOf(step, inside));
      case 'either':
        return step.branches.flatMap((branch) => this.firstOfSequence(branch, this.insideOf(step, inside)));
    }
  }

  private firstOfSequence({ steps }: SequenceNode, inside: Inside): readonly Formula[] {
    const takes: Formula[] = [];
    for (const step of steps) {
      takes.push(...this.firstTakes(step, inside));
      if (!isNullable(step)) break;
    }
    return takes;
  }

  private takeOf(step: EventNode, { ends }: Inside): Formula {
    const until = step.times?.until === undefined ? [] : [this.formulas.from(step.times.until, untilName(step))];
    return and([this.formulas.from(step.where, step.name), ...[...until, ...ends].map(not)]);
  }

  /** Inside a group that is repeated until something happens, that something ends every step. */
  private insideOf(step: Exclude<StepNode, NotNode>, inside: Inside): Inside {
    const { until } = step.times ?? {};
    if (until === undefined || step.kind === 'event') return inside;
    return { ...inside, ends: [...inside.ends, this.formulas.from(until, untilName(step))] };
  }

  /** A step's states, once for every time that it can be taken; the last ones lead back to themselves where there is no end. */
  private rounds(step: Exclude<StepNode, NotNode>, after: LoopEnd, inside: Inside): Built {
    const times: TimesNode = step.times ?? ONCE;
    const min = Math.max(times.min, 1);
    const count = times.max ?? min;
    const [stay, leaveOrStay] = this.stays(step, times, after, inside);
    const exit = continuation(after.next);
    let later: Built | undefined;
    for (let n = count; n >= 1; n--) {
      const options: Fragment[] = [];
      const within = { ...this.insideOf(step, inside), inner: undefined, round: inside.round + roundName(n, times) };
      const round = this.body(step, { kind: 'fork', options }, within);
      const again = n < count ? later : times.max === null ? round : undefined;
      if (again !== undefined) options.push(continuation(again(n >= min ? leaveOrStay : stay)));
      if (n >= min) options.push(exit);
      later = round;
    }
    return later!;
  }

  /** How the next round is entered: while it must be, and when the loop could be left as well. */
  private stays(step: StepNode, times: TimesNode, after: LoopEnd, inside: Inside): readonly [Entry, Entry] {
    const until = times.until === undefined ? [] : [this.formulas.from(times.until, untilName(step))];
    const kills = [...inside.ends, ...until, ...after.nots];
    const stay = { kind: KINDS[inside.inner ?? times.inner], gap: windowOf(times.within), kills, firstNot: after.firstNots };
    if (times.preference !== 'reluctant') return [stay, stay];
    return [stay, { ...stay, kills: [...kills, ...takesOf(after.next.take)] }];
  }

  /** The states of one round. */
  private body(step: Exclude<StepNode, NotNode>, onward: Fragment, inside: Inside): Built {
    switch (step.kind) {
      case 'event':
        return this.event(step, onward, inside);
      case 'group':
        return this.group(step, onward, inside);
      case 'either':
        return this.either(step, onward, inside);
      case 'all':
        return this.all(step, onward, inside);
    }
  }

  private event(step: EventNode, onward: Fragment, inside: Inside): Built {
    const state = this.eventState(step, onward, inside);
    return (entry) => ({ take: { kind: 'enter', state, entry } });
  }

  private group({ body, times }: GroupNode, onward: Fragment, inside: Inside): Built {
    const built = this.sequence(body.steps, { take: onward }, inside, { head: times?.inner ?? 'relaxed' });
    // Whatever it begins with, it is the group that begins.
    return (entry) => ({ take: continuation(built(entry)) });
  }

  private eventState(step: EventNode, onward: Fragment, inside: Inside): DraftState {
    const label = step.name + inside.round;
    return this.add({ step: this.steps.indexOf(step.name), label, take: this.takeOf(step, inside), ...BY_EVENT, out: onward });
  }

  private either({ branches }: EitherNode, onward: Fragment, inside: Inside): Built {
    const built = branches.map(({ steps }) => this.sequence(steps, { take: onward }, inside, {}));
    return (entry) => ({ take: fork(...built.map((branch) => continuation(branch(entry)))) });
  }

  /** A state for each set of events that were taken and the last of them. */
  private all({ events }: AllNode, onward: Fragment, inside: Inside): Built {
    const full = (1 << events.length) - 1;
    const known = new Map<string, DraftState>();
    const stateOf = (set: number, at: number): DraftState => {
      const key = `${set} ${at}`;
      let state = known.get(key);
      if (state === undefined) {
        state = this.eventState(events[at]!, onward, inside);
        known.set(key, state);
        if (set !== full) state.out = enterRest(set, (event) => this.ownEntry({ ...event, link: 'followedBy' }, inside));
      }
      return state;
    };
    const enterRest = (set: number, entryOf: (event: EventNode) => Entry): Fragment =>
      fork(
        ...events.flatMap((event, at): Fragment[] => {
          const bit = 1 << at;
          return (set & bit) !== 0 ? [] : [{ kind: 'enter', state: stateOf(set | bit, at), entry: entryOf(event) }];
        }),
      );
    return (entry) => ({ take: enterRest(0, () => entry) });
  }

  private add(draft: Omit<DraftState, 'id'>): DraftState {
    if (this.states.length >= MOST_STATES)
      throw invalidPattern(
        'too-large',
        draft.label,
        `The pattern has more than ${MOST_STATES} states.`,
        'Lower the numbers of its loops, or use oneOrMore with a condition on what was taken.',
      );
    const state = { id: this.states.length, ...draft };
    this.states.push(state);
    return state;
  }
}

interface SequencePlace {
  readonly isWhole?: boolean;
  /** Of a group: how its rounds follow each other, and so the events of a loop that it begins with, as in Flink. */
  readonly head?: InnerLink;
}

interface LoopEnd {
  readonly next: Continuation;
  /** What must not happen behind the loop, and so neither inside. */
  readonly nots: readonly Formula[];
  readonly firstNots: readonly Formula[];
}

/** States that an event leads to. */
const BY_EVENT = { after: Infinity, confirms: false, elapsed: 0 };
const ONCE: TimesNode = { min: 1, max: 1, inner: 'relaxed' };

function roundName(n: number, { min, max }: TimesNode): string {
  if (max === 1) return '';
  return `[${n}${max === null && n === Math.max(min, 1) ? '+' : ''}]`;
}

function windowOf(duration: number | undefined): number {
  return duration === undefined || duration === 0 ? Infinity : duration;
}

function isOpenEnd(step: StepNode): boolean {
  return step.kind === 'not' && step.link !== 'absent';
}

function untilName(step: StepNode): string {
  return 'name' in step ? `until of ${step.name}` : 'until';
}

function anyOf(parts: readonly Formula[]): Formula {
  return parts.length === 1 ? parts[0]! : { kind: 'or', parts };
}

/** What must not happen right behind a loop, up to the next step. */
function loopNots(following: readonly StepNode[], link: 'next' | 'followedBy', formulas: Formulas): readonly Formula[] {
  const nots: Formula[] = [];
  for (const step of following) {
    if (step.kind !== 'not') break;
    if (step.link === link) nots.push(formulas.from(step.where, step.name));
  }
  return nots;
}

function nearestNots(before: readonly StepNode[], formulas: Formulas): readonly Formula[] {
  return loopNots([...before].reverse(), 'followedBy', formulas);
}

/** How long the absences take that stand directly before. */
function elapsedBefore(before: readonly StepNode[]): number {
  let elapsed = 0;
  for (const step of [...before].reverse()) {
    if (step.kind !== 'not') break;
    elapsed += step.duration ?? 0;
  }
  return elapsed;
}

/** Forbids something on the way to the states that a fragment enters, if it enters any. */
function beforeStates(fragment: Fragment, { what, until }: { readonly what: Formula; readonly until: Formula | undefined }): Fragment {
  return takesOf(fragment).length === 0 ? fragment : { kind: 'forbid', what, first: false, until, next: fragment };
}
