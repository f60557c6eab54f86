import { type Automaton, type Guard, KIND_NAMES, NEXT_EVENT, type State, STRICT, TIMED, type Transition } from '../automaton/automaton.ts';
import { compilePattern } from '../automaton/compilePattern.ts';
import type { Complete, Matched } from '../pattern/matched.ts';

/** A transition of a {@link PatternMachine}. */
export interface PatternMachineMove {
  readonly target: string;
  /** The condition, for people: its text. */
  readonly guard?: string;
  readonly description?: string;
}

/** A state of a {@link PatternMachine}. */
export interface PatternMachineState {
  readonly id?: string;
  readonly type?: 'final';
  readonly initial?: string;
  readonly tags?: readonly string[];
  readonly on?: { readonly EVENT: readonly PatternMachineMove[] };
  readonly after?: Readonly<Record<number, string>>;
  readonly states?: Readonly<Record<string, PatternMachineState>>;
}

/** What `createMachine` of xstate takes. Plain JSON. */
export interface PatternMachine extends PatternMachineState {
  readonly id: string;
  readonly initial: string;
  readonly states: Readonly<Record<string, PatternMachineState>>;
}

/**
 * A pattern as the config of an XState machine, for tools that draw and explore such: the life of a single run, from its first event to
 * the match, or to its end without one. Conditions are guards by name. What cannot be seen there is that a run may branch: where an
 * event can be taken and left, the machine takes it.
 *
 * @throws MillraceError `cep/…` for a pattern that cannot work.
 * @example
 * interface Payment { cents: number }
 * const probing = pattern<Payment>().begin('small').where((p) => p.cents < 100).next('large').where((p) => p.cents > 50_000).within({ minutes: 10 });
 * console.log(Object.keys(toMachine(probing).states)); // [ 'waiting', 'running', 'matched', 'failed', 'timedOut' ]
 */
export function toMachine(pattern: Complete<never, Matched>): PatternMachine {
  const automaton = compilePattern(pattern.node);
  const { states, starts, transitions, within } = automaton;
  const names = namesOf(states);
  const running = states.map((state) => [names[state.id]!, stateOf(automaton, state)] as const);
  const first = transitions[starts[0]!]!.to;
  return {
    id: 'pattern',
    initial: 'waiting',
    states: {
      waiting: { on: { EVENT: starts.map((id) => move(automaton, transitions[id]!.take, target(automaton, transitions[id]!))) } },
      running: {
        initial: names[first]!,
        states: Object.fromEntries(running),
        ...(within !== Infinity && { after: { [within]: '#timedOut' } }),
      },
      matched: { id: 'matched', type: 'final' },
      failed: { id: 'failed', type: 'final' },
      timedOut: { id: 'timedOut', type: 'final' },
    },
  };
}

function stateOf(automaton: Automaton, { id, accepts, out }: State): PatternMachineState {
  const ways = out.map((way) => automaton.transitions[way]!);
  const moves = ways.flatMap((way) => [...failures(automaton, way), ...takes(automaton, way)]);
  const isStrict = ways.length > 0 && ways.every(({ kind }) => kind === STRICT);
  if (isStrict) moves.push({ target: '#failed', description: 'any other event' });
  const after = Object.fromEntries(
    ways.filter(({ kind }) => kind === TIMED).map((way) => [delayOf(automaton, way), target(automaton, way)]),
  );
  return {
    id: `s${id}`,
    ...(accepts && { tags: ['match'] }),
    ...(moves.length > 0 && { on: { EVENT: moves } }),
    ...(Object.keys(after).length > 0 && { after }),
  };
}

/** What ends a run: events that must not happen, at all or as the very next. */
function failures(automaton: Automaton, { kills, firstNot }: Transition): PatternMachineMove[] {
  const always = kills.map((guard) => move(automaton, guard, '#failed', 'must not happen'));
  return [...always, ...firstNot.map((guard) => move(automaton, guard, '#failed', 'must not happen next'))];
}

function takes(automaton: Automaton, transition: Transition): PatternMachineMove[] {
  const { kind, take } = transition;
  if (kind === TIMED) return [];
  if (kind === NEXT_EVENT) return [{ target: '#matched', description: KIND_NAMES[kind]! }];
  return [move(automaton, take, target(automaton, transition), KIND_NAMES[kind]!)];
}

function move({ unary, residual }: Automaton, guard: Guard, to: string, description?: string): PatternMachineMove {
  const texts = [unary[guard.unary]?.text, residual[guard.residual]?.text].filter((text) => text !== undefined);
  return { target: to, ...(texts.length > 0 && { guard: texts.join(' and ') }), ...(description !== undefined && { description }) };
}

function target({ states }: Automaton, { to, confirms }: Transition): string {
  const state = states[to];
  const isEnd = confirms || state === undefined || (state.accepts && state.out.length === 0);
  return isEnd ? '#matched' : `#s${to}`;
}

function delayOf({ within }: Automaton, { after }: Transition): number {
  return after === Infinity ? within : after;
}

/** Names of states: what people call them, each once. A dot would be read as a path. */
function namesOf(states: readonly State[]): readonly string[] {
  const taken = new Set<string>();
  return states.map(({ id, label }) => {
    const plain = label.replaceAll('.', '·') || 'absent';
    const name = taken.has(plain) ? `${plain} (${id})` : plain;
    taken.add(name);
    return name;
  });
}
