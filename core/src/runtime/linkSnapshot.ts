import type { RandomState } from '../operators/random.ts';
import type { StateEntry } from '../state/backend.ts';
import type { OperatorStateEntry } from '../state/operatorState.ts';
import type { Link } from './link.ts';

/** The state of one operator subtask, by address. */
export interface LinkSnapshot {
  readonly uid: string;
  readonly keyed: readonly StateEntry[];
  readonly operator: readonly OperatorStateEntry[];
  readonly random: RandomState;
}

/** What an operator keeps in structures of its own is addressed like the rest, under a prefix that no declared state can have. */
const OWN = '(own) ';

/** Everything that an operator holds. Values are shared with it, not copied. */
export function snapshotLink({ uid, context, operator }: Link): LinkSnapshot {
  const { backend, operatorStates, random } = context.subtask;
  const own = [...(operator.entries?.() ?? [])].map((entry) => ({ ...entry, state: OWN + entry.state }));
  const ownOperator = [...(operator.operatorEntries?.() ?? [])].map((entry) => ({ ...entry, state: OWN + entry.state }));
  return { uid, keyed: [...backend.entries(), ...own], operator: [...operatorStates.entries(), ...ownOperator], random: random.state() };
}

export function restoreLink({ context, operator }: Link, { keyed, operator: operatorEntries, random }: LinkSnapshot): void {
  const { backend, operatorStates } = context.subtask;
  for (const entry of keyed) {
    if (entry.state.startsWith(OWN)) operator.restoreEntry?.({ ...entry, state: entry.state.slice(OWN.length) });
    else backend.restore(entry);
  }
  for (const entry of operatorEntries) {
    if (entry.state.startsWith(OWN)) operator.restoreOperatorEntry?.({ ...entry, state: entry.state.slice(OWN.length) });
    else operatorStates.restore(entry);
  }
  context.subtask.random.restore(random);
}
