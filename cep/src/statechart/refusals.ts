import { MillraceError } from '@millrace/core';
import type { AnyStateMachine, AnyStateNode } from 'xstate';

/**
 * Makes sure that a machine does nothing that could not be done again after a restore: what runs beside it has a life that no
 * checkpoint holds.
 *
 * @throws MillraceError `cep/statechart` naming the state and what it starts.
 */
export function refuseActors(machine: AnyStateMachine): void {
  if (!isMachine(machine)) {
    throw new MillraceError('cep/statechart', 'statechart takes a machine, and was given something else.', {
      remedy: 'Make one with createMachine or setup(…).createMachine of xstate 5.',
    });
  }
  visit(machine, machine.root as AnyStateNode);
}

/** A machine that starts an actor is refused, whenever it is found out. */
export function actorRefused(machine: string, what: string): MillraceError {
  return new MillraceError('cep/statechart', `Machine "${machine}" ${what}: an actor beside it would not survive a restore.`, {
    remedy: 'Do the asynchronous work before the statechart with asyncMap, and send what comes of it to the machine as an event.',
  });
}

function isMachine(machine: unknown): machine is AnyStateMachine {
  return (
    typeof machine === 'object' && machine !== null && 'root' in machine && 'transition' in machine && 'getPersistedSnapshot' in machine
  );
}

function visit(machine: AnyStateMachine, node: AnyStateNode): void {
  const [invoked] = node.invoke;
  if (invoked !== undefined) throw actorRefused(machine.id, `invokes "${invoked.id}" in the state "${node.id}"`);
  const initial = node.type === 'compound' ? node.initial.actions : [];
  const transitions = [...node.transitions.values(), node.always ?? []].flat();
  const actions = [...node.entry, ...node.exit, ...initial, ...transitions.flatMap((transition) => transition.actions)];
  if (actions.some((action) => spawns(machine, action))) throw actorRefused(machine.id, `spawns an actor in the state "${node.id}"`);
  for (const child of Object.values(node.states)) visit(machine, child as AnyStateNode);
}

function spawns(machine: AnyStateMachine, action: unknown): boolean {
  const actions = machine.implementations.actions as Readonly<Record<string, unknown>>;
  const name = typeof action === 'string' ? action : ((action as { readonly type?: unknown } | undefined)?.type as string | undefined);
  const implementation = typeof action === 'function' || name === undefined ? action : actions[name];
  return typeof implementation === 'function' && (implementation as { readonly type?: unknown }).type === 'xstate.spawnChild';
}
