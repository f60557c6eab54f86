import { type State, TIMED, type Transition } from './automaton.ts';

/**
 * After an absence a pattern can be matched although further steps could follow. Then there are two states for the two: one that waits for the
 * next step, and one that is reached even when the window of the pattern has ended before, since it needs no further event.
 */
export function splitAbsences(
  states: readonly State[],
  transitions: readonly Transition[],
): { readonly states: State[]; readonly transitions: Transition[] } {
  const all = [...states];
  const ways = [...transitions];
  // From the last to the first: what closes a pattern is known before what leads to it.
  for (const { id } of states.toReversed()) {
    const state = all[id]!;
    const into = ways.filter(({ to, kind, confirms }) => to === id && kind === TIMED && !confirms);
    const closing = state.out.filter((each) => ways[each]!.outlasts);
    if (into.length === 0 || (!state.accepts && closing.length === 0)) continue;
    const going = state.out.filter((each) => !ways[each]!.outlasts);
    if (going.length === 0) {
      for (const way of into) ways[way.id] = { ...way, confirms: true, outlasts: true };
      continue;
    }
    const end = all.length;
    const out = closing.map((each) => ways.push({ ...ways[each]!, id: ways.length, from: end }) - 1);
    all.push({ ...state, id: end, out });
    all[id] = { ...state, accepts: false, out: going };
    for (const way of into) {
      const id = ways.push({ ...way, id: ways.length, to: end, confirms: true, outlasts: true }) - 1;
      all[way.from] = { ...all[way.from]!, out: [...all[way.from]!.out, id] };
    }
  }
  return { states: all, transitions: ways };
}
