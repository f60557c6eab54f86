import { isMillraceError, MillraceError } from '../errors/millraceError.ts';
import type { Subtask } from '../operators/operatorContext.ts';
import type { RandomState } from '../operators/random.ts';
import type { StateEntry } from '../state/backend.ts';
import type { OperatorStateEntry } from '../state/operatorState.ts';
import { TIMERS } from '../state/keyedTimers.ts';
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
  /** State that the operator does not have any more is left out, which is told, instead of being refused. */
  readonly allowNonRestoredState?: boolean | undefined;
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

/** Gives an operator subtask its keyed state. Yields where so much is on its way out of memory that one should wait. */
export function* restoreKeyed({ context }: Link, keyed: Iterable<StateEntry>, restorer: Restorer): Generator<Promise<void>, void> {
  const { backend, uid } = context.subtask;
  try {
    for (const entry of keyed) {
      if (restorer.isLenient) restorer.take(addressOf(entry), () => backend.restore(entry));
      else backend.restore(entry);
      const settling = backend.settling?.();
      if (settling !== undefined) yield settling;
    }
  } catch (error) {
    throw isMillraceError(error) ? error.at(uid) : error;
  }
}

/**
 * Gives an operator subtask what it held.
 *
 * @throws MillraceError `state/restore` for state that the operator does not have, unless the snapshot allows that.
 */
export function restoreLink(link: Link, snapshot: LinkSnapshot): void {
  const { context, operator } = link;
  const { operatorStates, uid, random } = context.subtask;
  const restorer = new Restorer(snapshot.allowNonRestoredState === true);
  for (const _ of restoreKeyed(link, snapshot.keyed, restorer));
  const restoreList = (entry: OperatorStateEntry): void => {
    if (!entry.state.startsWith(OWN)) return operatorStates.restore(entry);
    const state = entry.state.slice(OWN.length);
    if (operator.restoreOperatorEntry === undefined) throw unknown(state);
    operator.restoreOperatorEntry({ ...entry, state });
  };
  try {
    for (const entry of snapshot.own) {
      restorer.take(entry.state, () => {
        if (operator.restoreEntry === undefined) throw unknown(entry.state);
        operator.restoreEntry(entry);
      });
    }
    for (const entry of snapshot.operator) restorer.take(entry.state, () => restoreList(entry));
  } catch (error) {
    throw isMillraceError(error) ? error.at(uid) : error;
  }
  restorer.tell(context.subtask);
  if (snapshot.random !== undefined) random.restore(snapshot.random);
}

/** Restores entries, or leaves those out whose state is not there any more. */
export class Restorer {
  readonly isLenient: boolean;
  /** How many entries, by state. */
  private readonly leftOut = new Map<string, number>();

  constructor(isLenient: boolean) {
    this.isLenient = isLenient;
  }

  /** Says what was left out. */
  tell({ logger, uid }: Pick<Subtask, 'logger' | 'uid'>): void {
    for (const [state, entries] of this.leftOut) {
      const count = `${entries} ${entries === 1 ? 'entry' : 'entries'}`;
      logger.warn(`State that uid "${uid}" does not have any more is left out: ${state} (${count}).`, { uid });
    }
  }

  take(address: string, restore: () => void): void {
    const before = this.leftOut.get(address);
    if (before !== undefined) return void this.leftOut.set(address, before + 1);
    try {
      restore();
    } catch (error) {
      if (!this.isLenient || !isMillraceError(error) || error.code !== 'state/restore') throw error;
      this.leftOut.set(address, 1);
    }
  }
}

/** Timers are declared one by one; of any other state all entries go the same way. */
function addressOf({ state, userKey }: StateEntry): string {
  return state === TIMERS ? `${state} ${String(userKey)}` : state;
}

/** An operator of another kind may keep nothing of its own. */
function unknown(state: string): MillraceError {
  return new MillraceError('state/restore', `The snapshot holds a state "${state}" that the operator does not have.`, {
    remedy: 'Give an operator of another kind a uid of its own, or allow state that is not restored.',
  });
}
