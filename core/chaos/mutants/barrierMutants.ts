import { BarrierAligner } from '../../src/checkpoint/barrierAligner.ts';
import { Catalog } from '../../src/checkpoint/catalog.ts';
import { Coordinator } from '../../src/checkpoint/coordinator.ts';
import type { Manifest } from '../../src/checkpoint/manifest.ts';
import { Lease } from '../../src/checkpoint/lease.ts';
import type { Barrier } from '../../src/element/element.ts';
import { Checkpointing } from '../../src/runtime/checkpointing.ts';
import { Task } from '../../src/runtime/task.ts';
import { type Mutant, mutant, together } from './mutant.ts';

interface TaskInside {
  readonly listener: { onCheckpoint(task: Task, barrier: Barrier): void };
  readonly isDrained: boolean;
  prepared: Barrier | undefined;
  broadcast(barrier: Barrier): void;
}

interface CoordinatorInside {
  readonly parts: {
    readonly participants: () => readonly { completeCheckpoint(checkpoint: number): Promise<void> }[];
    readonly enumerators: () => Manifest['enumerators'];
  };
}

interface KeepInside {
  readonly parts: { readonly settings: { readonly storage: { write(name: string, parts: readonly Uint8Array[]): Promise<void> } } };
}

/** Faults of barriers, of the coordinator, and of who owns a location. */
export const barrierMutants: readonly Mutant[] = [
  mutant('skip-alignment', 'channels are read on behind a barrier', BarrierAligner, 'isBlocked', () => () => false),
  mutant('align-one-channel', 'the first barrier counts for all channels', BarrierAligner, 'completeIfAligned', (original) => (self) => {
    (self as unknown as { reached: boolean[] }).reached.fill(true);
    return original(self);
  }),
  mutant('barrier-first', 'the barrier goes on before the state is taken', Task, 'cut', (original) => (self, barrier: Barrier) => {
    const inside = self as unknown as TaskInside;
    if (inside.isDrained) return original(self, barrier);
    inside.prepared = undefined;
    inside.broadcast(barrier);
    // Something more is processed before the state is taken.
    self.mail(() => inside.listener.onCheckpoint(self, barrier));
  }),
  mutant('complete-before-manifest', 'sinks commit before the manifest is written', Coordinator, 'complete', (original) => {
    return async (self, checkpoint: number, pending: unknown) => {
      const { parts } = self as unknown as CoordinatorInside;
      await Promise.all(parts.participants().map(async (participant) => participant.completeCheckpoint(checkpoint)));
      return original(self, checkpoint, pending);
    };
  }),
  mutant('savepoint-commits', 'a savepoint makes visible what it holds', Coordinator, 'complete', (original) => {
    return async (self, checkpoint: number, pending: { readonly barrier: Barrier }) => {
      await (original(self, checkpoint, pending) as Promise<void>);
      const { parts } = self as unknown as CoordinatorInside;
      if (pending.barrier.savepoint)
        await Promise.all(parts.participants().map(async (participant) => participant.completeCheckpoint(checkpoint)));
    };
  }),
  mutant(
    'enumerator-too-late',
    'splits found while a checkpoint is taken count as dealt out in it',
    Coordinator,
    'manifestOf',
    (original) => {
      return (self, checkpoint: number, pending: unknown) => ({
        ...(original(self, checkpoint, pending) as Manifest),
        enumerators: (self as unknown as CoordinatorInside).parts.enumerators(),
      });
    },
  ),
  together('ignore-epoch', 'an owner that was replaced goes on', [
    mutant('', '', Lease, 'check', () => () => Promise.resolve()),
    mutant('', '', Lease, 'renew', () => () => Promise.resolve()),
  ]),
  mutant('restore-older', 'a restore passes over the newest checkpoint', Catalog, 'manifests', (original) => {
    return async (self, previous: unknown) => {
      const all = await (original(self, previous) as Promise<readonly Manifest[]>);
      return all.length > 1 ? all.slice(1) : all;
    };
  }),
  mutant('acknowledge-too-soon', 'a part counts as kept before it is written', Checkpointing, 'keep', () => {
    return async (self, _barrier: Barrier, name: string, parts: readonly Uint8Array[]) => {
      (self as unknown as KeepInside).parts.settings.storage.write(name, parts).catch(() => undefined);
    };
  }),
];
