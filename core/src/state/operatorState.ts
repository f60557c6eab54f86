import { MillraceError } from '../errors/millraceError.ts';

/**
 * How state without a key moves when a job is rescaled: its items are dealt out (`split`), every subtask gets all of them
 * (`union`), or every subtask holds the same (`broadcast`).
 */
export type OperatorStateMode = 'split' | 'union' | 'broadcast';

/** State of a subtask that belongs to no key: a list of plain data. */
export interface OperatorState<V> {
  get(): readonly V[];
  update(items: readonly V[]): void;
}

/** A piece of operator state outside its operator. */
export interface OperatorStateEntry {
  readonly state: string;
  readonly mode: OperatorStateMode;
  readonly items: readonly unknown[];
}

/** The operator states of one subtask. */
export class OperatorStates {
  private readonly states = new Map<string, { readonly mode: OperatorStateMode; items: readonly unknown[] }>();

  open<V>(name: string, mode: OperatorStateMode): OperatorState<V> {
    if (this.states.has(name)) {
      throw new MillraceError('state/duplicate', `Two states are named "${name}".`, {
        remedy: 'Give every state of an operator a name of its own.',
      });
    }
    const slot: { readonly mode: OperatorStateMode; items: readonly unknown[] } = { mode, items: [] };
    this.states.set(name, slot);
    return { get: () => slot.items as readonly V[], update: (items) => void (slot.items = items) };
  }

  *entries(): Iterable<OperatorStateEntry> {
    for (const [state, { mode, items }] of this.states) if (items.length > 0) yield { state, mode, items };
  }

  restore(entry: OperatorStateEntry): void {
    const slot = this.states.get(entry.state);
    if (slot === undefined) {
      throw new MillraceError('state/restore', `The snapshot holds a state "${entry.state}" that the operator does not declare.`, {
        remedy: 'Declare it again, or allow state that is not restored.',
      });
    }
    slot.items = [...slot.items, ...entry.items];
  }
}
