import { isMillraceError } from '../errors/millraceError.ts';
import type { RandomState } from '../operators/random.ts';
import type { StateEntry } from '../state/backend.ts';
import type { OperatorStateEntry } from '../state/operatorState.ts';
import type { Link } from './link.ts';

/** The state of one operator subtask, by address. */
export interface LinkSnapshot {
  readonly uid: string;
  readonly keyed: Iterable<StateEntry>;
  /** Keyed state that the operator keeps in structures of its own. */
  readonly own: Iterable<StateEntry>;
  readonly operator: readonly OperatorStateEntry[];
  /** `undefined` for a subtask that there was not before: it begins with its own seed. */
  readonly random: RandomState | undefined;
}

/** An operator's own lists are addressed like declared ones, under a prefix that no declared state can have. */
const OWN = '(own) ';

/** What an operator holds beside keyed state. Values are shared with it, not copied. */
export function snapshotPlain({ context, operator }: Link): {
  readonly operator: readonly OperatorStateEntry[];
  readonly random: RandomState;
} {
  const { operatorStates, random } = context.subtask;
  const ownLists = [...(operator.operatorEntries?.() ?? [])].map((entry) => ({ ...entry, state: OWN + entry.state }));
  return { operator: [...operatorStates.entries(), ...ownLists], random: random.state() };
}

/** Everything that an operator holds. Values are shared with it, not copied. */
export function snapshotLink(link: Link): LinkSnapshot {
  const { uid, context, operator } = link;
  return { uid, keyed: [...context.subtask.backend.entries()], own: [...(operator.entries?.() ?? [])], ...snapshotPlain(link) };
}

export function restoreLink({ context, operator }: Link, { keyed, own, operator: lists, random }: LinkSnapshot): void {
  const { backend, operatorStates, uid } = context.subtask;
  try {
    for (const entry of keyed) backend.restore(entry);
    for (const entry of own) operator.restoreEntry?.(entry);
    for (const entry of lists) {
      if (entry.state.startsWith(OWN)) operator.restoreOperatorEntry?.({ ...entry, state: entry.state.slice(OWN.length) });
      else operatorStates.restore(entry);
    }
  } catch (error) {
    throw isMillraceError(error) ? error.at(uid) : error;
  }
  if (random !== undefined) context.subtask.random.restore(random);
}
