import { SinkOperator } from '../../src/operators/sink.ts';
import type { OperatorStateEntry } from '../../src/state/operatorState.ts';
import { type Mutant, mutant } from './mutant.ts';

interface Uncommitted {
  readonly checkpoint: number;
  readonly committables: readonly unknown[];
}

interface SinkInside {
  uncommitted: Uncommitted[];
  readonly writer: { commit(committables: readonly unknown[]): Promise<void> } | undefined;
}

const inside = (self: SinkOperator): SinkInside => self as unknown as SinkInside;

/** Faults of the two phases of sinks. */
export const sinkMutants: readonly Mutant[] = [
  mutant('commit-early', 'what is prepared is committed at once', SinkOperator, 'prepareBarrier', (original) => {
    return async (self, checkpoint: number, isLast: boolean) => {
      const before = inside(self).uncommitted.length;
      await (original(self, checkpoint, isLast) as Promise<void>);
      const { uncommitted, writer } = inside(self);
      await writer?.commit(uncommitted.slice(before).flatMap(({ committables }) => committables));
    };
  }),
  mutant('commit-twice', 'what is committed is committed again', SinkOperator, 'onCheckpointComplete', (original) => {
    return async (self, checkpoint: number) => {
      const before = inside(self).uncommitted;
      await (original(self, checkpoint) as Promise<void>);
      inside(self).uncommitted = [...before];
    };
  }),
  mutant('commit-too-much', 'a complete checkpoint commits what belongs to the next', SinkOperator, 'onCheckpointComplete', (original) => {
    return (self) => original(self, Infinity);
  }),
  mutant('lose-committables', 'a checkpoint does not hold what is to be committed', SinkOperator, 'operatorEntries', (original) => {
    return (self) => [...(original(self) as Iterable<OperatorStateEntry>)].filter(({ state }) => state !== 'committables');
  }),
  mutant('lose-open-transactions', 'a checkpoint does not hold what writers have open', SinkOperator, 'operatorEntries', (original) => {
    return (self) => [...(original(self) as Iterable<OperatorStateEntry>)].filter(({ state }) => state === 'committables');
  }),
  mutant('commit-older-never', 'what an aborted checkpoint held is forgotten', SinkOperator, 'onCheckpointComplete', (original) => {
    return (self, checkpoint: number) => {
      inside(self).uncommitted = inside(self).uncommitted.filter((each) => each.checkpoint >= checkpoint);
      return original(self, checkpoint);
    };
  }),
  mutant('skip-last-batch', 'what has gathered is not written before a barrier', SinkOperator, 'prepare', () => {
    return (self, checkpoint?: number) =>
      (self as unknown as { readonly writer: { prepare(checkpoint?: number): Promise<unknown> } }).writer.prepare(checkpoint);
  }),
];
