import { type Codec, MillraceError, type StateOptions, type Timestamp } from '@millrace/core';
import type { AnyMachineSnapshot, AnyStateMachine, EventObject, Snapshot } from 'xstate';
import { toJsonText } from './jsonText.ts';

/** An event that comes when its time has come: an `after`, or any event with a delay. */
export interface Delay {
  /** By which it can be cancelled. */
  readonly id: string | undefined;
  readonly event: EventObject;
  readonly at: Timestamp;
  /** False once another delay of its id was started after it: `cancel` then means that one. */
  readonly cancellable: boolean;
}

/** A machine of one key. It lives in keyed state: say `update` before changing it. */
export interface Chart {
  snapshot: AnyMachineSnapshot;
  /** In the order in which they were started. */
  delays: readonly Delay[];
}

/** How persisted snapshots of older versions are read. */
export type Migration = (persisted: unknown, fromVersion: number) => Snapshot<unknown>;

/** A chart outside of memory: plain JSON. */
interface Persisted {
  readonly snapshot: Snapshot<unknown>;
  readonly delays: readonly Delay[];
}

/**
 * The options of the keyed state that holds a machine per key: JSON by the machine's own persisted snapshot. What the codec reads is
 * persisted still, so that `migrate` may see what no machine of today could revive; reviving comes last, where others check a schema.
 */
export function chartState(
  machine: AnyStateMachine,
  options: { readonly version: number; readonly migrate: Migration | undefined },
): StateOptions<Chart> {
  const { version, migrate } = options;
  return {
    version,
    codec: chartCodec(machine),
    schema: {
      '~standard': {
        version: 1,
        vendor: 'millrace',
        validate: (persisted) => {
          try {
            return { value: revive(machine, persisted as Persisted) };
          } catch (error) {
            return { issues: [{ message: error instanceof Error ? error.message : String(error) }] };
          }
        },
      },
    },
    ...(migrate !== undefined && {
      migrate: (old, from) => {
        const { snapshot, delays } = old as Persisted;
        return { snapshot: persistedForm(machine, migrate(snapshot, from)), delays } as unknown as Chart;
      },
    }),
  };
}

function chartCodec(machine: AnyStateMachine): Codec<Chart> {
  return {
    name: 'statechart',
    version: 1,
    write: ({ snapshot, delays }, writer) => {
      const persisted: Persisted = { snapshot: machine.getPersistedSnapshot(snapshot), delays };
      writer.text(toJsonText(persisted, `machine "${machine.id}"`));
    },
    read: (reader) => JSON.parse(reader.text()) as Chart,
  };
}

/** Migrations may answer with what `resolveState` gives, or with JSON. */
function persistedForm(machine: AnyStateMachine, snapshot: Snapshot<unknown>): Snapshot<unknown> {
  return 'machine' in snapshot ? machine.getPersistedSnapshot(snapshot as AnyMachineSnapshot) : snapshot;
}

/** A machine whose states have changed can fit an old snapshot in part: that is told apart by the state value that comes of it. */
function revive(machine: AnyStateMachine, { snapshot, delays }: Persisted): Chart {
  const revived = machine.restoreSnapshot(snapshot, undefined as never) as AnyMachineSnapshot;
  const before = JSON.stringify((snapshot as AnyMachineSnapshot).value);
  const after = JSON.stringify(revived.value);
  if (before === after) return { snapshot: revived, delays };
  throw new MillraceError('cep/statechart', `The state ${before} was saved, and the machine has ${after} in its place.`, {
    remedy: 'Raise the version, and let migrate read the older snapshots.',
  });
}
