import { CheckpointReader } from '../../src/checkpoint/restore.ts';
import { Chain } from '../../src/runtime/chain.ts';
import { RandomGenerator } from '../../src/operators/random.ts';
import type { EntrySink } from '../../src/state/recordSink.ts';
import type { StateEntry } from '../../src/state/backend.ts';
import { ChangeLog } from '../../src/state/changeLog.ts';
import type { Key } from '../../src/state/key.ts';
import type { KeyGroupRange } from '../../src/state/keyGroups.ts';
import { KeyedTimers } from '../../src/state/keyedTimers.ts';
import { MemoryBackend } from '../../src/state/memoryBackend.ts';
import type { OperatorStateEntry } from '../../src/state/operatorState.ts';
import { type Mutant, mutant } from './mutant.ts';

interface ChangeLogInside {
  cut: { readonly left: Uint32Array } | undefined;
  changed: Uint32Array;
  gone: Key[];
}

interface SavedTimers {
  readonly userKey: string;
  readonly value: { readonly times: readonly number[]; readonly ranks: readonly number[] };
}

type PlainSnapshot = readonly { readonly operator: readonly OperatorStateEntry[] }[];

const inside = (self: ChangeLog): ChangeLogInside => self as unknown as ChangeLogInside;

/** Faults of keyed state: what a cut holds, and what comes back from it. */
export const stateMutants: readonly Mutant[] = [
  mutant(
    'reuse-freed-slot',
    'a slot that is given to a new key is written to a cut that it was in before',
    ChangeLog,
    'born',
    (original) => {
      return (self, slot: number) => {
        original(self, slot);
        const left = inside(self).cut?.left;
        if (left !== undefined && slot >>> 5 < left.length) left[slot >>> 5]! |= 1 << (slot & 31);
      };
    },
  ),
  mutant('write-through-cut', 'a cut holds what came behind its barrier', ChangeLog, 'touch', (original) => {
    return (self, slot: number) => {
      const { cut } = inside(self);
      inside(self).cut = undefined;
      original(self, slot);
      inside(self).cut = cut;
    };
  }),
  mutant('drop-change', 'a key that has changed is not in the next cut', ChangeLog, 'begin', (original) => {
    return (self, sink: unknown, whole: boolean, apart: boolean) => {
      const { changed } = inside(self);
      if (!whole) changed.forEach((bits, word) => (changed[word] = bits & (bits - 1)));
      return original(self, sink, whole, apart);
    };
  }),
  mutant('forget-deletions', 'keys that are gone come back', ChangeLog, 'begin', (original) => {
    return (self, sink: unknown, whole: boolean, apart: boolean) => {
      inside(self).gone = [];
      return original(self, sink, whole, apart);
    };
  }),
  mutant('wrong-key-group', 'state moves to the neighbour when a job is rescaled', CheckpointReader, 'inRange', (original) => {
    return (self, range: KeyGroupRange, all: boolean) => original(self, { first: range.first + 1, last: range.last + 1 }, all);
  }),
  mutant('lose-timer', 'a cut holds all timers of a key but one', KeyedTimers, 'writeEntries', (original) => {
    return (self, slot: number, sink: EntrySink) =>
      original(self, slot, {
        entry(state: string, name: string, { times, ranks }: SavedTimers['value']) {
          if (times.length > 1) sink.entry(state, name, { times: times.slice(1), ranks: ranks.slice(1) }, undefined);
        },
      });
  }),
  mutant('restore-timers-twice', 'a restored timer fires again a moment later', KeyedTimers, 'restore', (original) => {
    return (self, entry: StateEntry) => {
      original(self, entry);
      const { userKey, value } = entry as unknown as SavedTimers;
      original(self, { ...entry, userKey, value: { times: value.times.map((time) => time + 1), ranks: value.ranks } });
    };
  }),
  mutant('forget-ttl', 'restored state lives anew', MemoryBackend, 'restore', (original) => {
    return (self, entry: StateEntry) => original(self, { ...entry, renewed: undefined });
  }),
  mutant('drop-random', 'a restored operator draws its first numbers again', RandomGenerator, 'restore', () => () => undefined),
  mutant('forget-async', 'calls under way are not in a checkpoint', Chain, 'snapshotPlain', (original) => {
    return (self) => without(original(self), ({ state }) => state.endsWith('calls'));
  }),
  mutant('forget-broadcast', 'broadcast state is not in a checkpoint', Chain, 'snapshotPlain', (original) => {
    return (self) => without(original(self), ({ mode }) => mode === 'broadcast');
  }),
  mutant('forget-elements', 'operators lose the elements that they have gathered', Chain, 'snapshotPlain', (original) => {
    return (self) => without(original(self), ({ state }) => state.endsWith('elements'));
  }),
];

function without(snapshot: PlainSnapshot, isLost: (entry: OperatorStateEntry) => boolean): PlainSnapshot {
  return snapshot.map((each) => ({ ...each, operator: each.operator.filter((entry) => !isLost(entry)) }));
}
