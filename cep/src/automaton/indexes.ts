import { type Correlation, NEXT_EVENT, STRICT, type State, type Transition } from './automaton.ts';

/** A run tells by a bit for each transition out of its state whether it has left it. */
const MOST_BITS = 31;

/**
 * Says which transitions find their runs by a value: those in which runs wait for an event that agrees with an earlier one, or must not meet
 * one. By what is taken, if that says so, else by what must not happen.
 */
export function indexTransitions(
  { states, transitions }: { readonly states: State[]; readonly transitions: readonly Transition[] },
  correlations: readonly Correlation[],
): { readonly states: State[]; readonly transitions: readonly Transition[] } {
  if (correlations.length === 0) return { states, transitions };
  const indexed = transitions.map((transition) => {
    const { from, kind, take, kills } = transition;
    if (from < 0 || kind === STRICT || kind === NEXT_EVENT) return transition;
    const index = [take, ...kills].find(({ correlation }) => correlation >= 0)?.correlation ?? -1;
    const place = states[from]!.out.indexOf(transition.id);
    return index < 0 || place >= MOST_BITS ? transition : { ...transition, index, bit: 1 << place };
  });
  return { states, transitions: indexed };
}
