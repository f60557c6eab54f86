import type { TransitionKind } from './automaton.ts';
import type { Formula } from './formula.ts';

/** How a state is entered from the one before. */
export interface Entry {
  readonly kind: TransitionKind;
  readonly gap: number;
  readonly kills: readonly Formula[];
  /** What the very next event must not satisfy. */
  readonly firstNot?: readonly Formula[] | undefined;
  readonly isQuiet?: boolean | undefined;
}

/**
 * What can happen from a point of the pattern on: the compiler's intermediate form, with moves that take no event. Loops close through forks,
 * whose options are filled in last.
 */
export type Fragment =
  /** The pattern is matched. */
  | { readonly kind: 'accept' }
  /** An event, or time, leads to a state. */
  | { readonly kind: 'enter'; readonly state: DraftState; readonly entry: Entry }
  | { readonly kind: 'fork'; readonly options: Fragment[] }
  /** What must not happen on the way to the next state. `first`: as the very next event; `until`: lifts it if the very next event says so. */
  | {
      readonly kind: 'forbid';
      readonly what: Formula;
      readonly first: boolean;
      readonly until?: Formula | undefined;
      readonly next: Fragment;
    };

/** A state whose ways out are still fragments. */
export interface DraftState {
  readonly id: number;
  readonly step: number;
  readonly label: string;
  readonly take: Formula;
  readonly after: number;
  readonly confirms: boolean;
  /** How long ago the last event was when the state is entered: for states that time leads to. */
  readonly elapsed: number;
  out: Fragment;
}

/** What follows a step: by taking the next one, and, where that is optional, without it. */
export interface Continuation {
  readonly take: Fragment;
  readonly skip?: Fragment | undefined;
}

export const ACCEPT: Fragment = { kind: 'accept' };

export function fork(...options: readonly (Fragment | undefined)[]): Fragment {
  const real = options.filter((option) => option !== undefined);
  return real.length === 1 ? real[0]! : { kind: 'fork', options: real };
}

export function continuation({ take, skip }: Continuation): Fragment {
  return fork(take, skip);
}

/** The conditions of all states that a fragment can lead to with the next event. */
export function takesOf(fragment: Fragment): readonly Formula[] {
  switch (fragment.kind) {
    case 'accept':
      return [];
    case 'enter':
      return fragment.state.step < 0 ? [] : [fragment.state.take];
    case 'fork':
      return fragment.options.flatMap(takesOf);
    case 'forbid':
      return takesOf(fragment.next);
  }
}

/** A way from a state to the next, with all that must not happen on it. */
export interface Way {
  readonly to: DraftState;
  readonly entry: Entry;
  readonly kills: readonly Formula[];
  readonly firstNot: readonly Formula[];
  readonly firstMust: readonly Formula[];
}

/** Follows the moves without an event: all ways out, and whether the end is among them. */
export function waysOut(fragment: Fragment): { readonly ways: readonly Way[]; readonly accepts: boolean } {
  const ways: Way[] = [];
  let accepts = false;
  const walk = (at: Fragment, kills: readonly Formula[], firstNot: readonly Formula[], firstMust: readonly Formula[]): void => {
    switch (at.kind) {
      case 'accept':
        // What must not happen before a step that is left out at the end is of no concern.
        accepts = true;
        return;
      case 'enter':
        ways.push({
          to: at.state,
          entry: at.entry,
          kills: [...kills, ...at.entry.kills],
          firstNot: [...firstNot, ...(at.entry.firstNot ?? [])],
          firstMust,
        });
        return;
      case 'fork':
        for (const option of at.options) walk(option, kills, firstNot, firstMust);
        return;
      case 'forbid':
        if (at.first) return walk(at.next, kills, [...firstNot, at.what], firstMust);
        if (at.until === undefined) return walk(at.next, [...kills, at.what], firstNot, firstMust);
        walk(at.next, [...kills, at.what], [...firstNot, at.until], firstMust);
        walk(at.next, kills, firstNot, [...firstMust, at.until]);
    }
  };
  walk(fragment, [], [], []);
  return { ways, accepts };
}
