import type { StateEntry } from '@millrace/core';
import { type Mutant, mutant } from '../../core/chaos/mutants/mutant.ts';
import { OperatorContext } from '../../core/src/operators/operatorContext.ts';
import { MemoryBackend } from '../../core/src/state/memoryBackend.ts';
import { EventBuffer } from '../src/operator/eventBuffer.ts';
import { RuleBook } from '../src/rules/ruleBook.ts';
import type { CheckedChange } from '../src/rules/ruleChange.ts';

/** A key's state of this name is not restored. */
function lost(name: string, about: string, state: string): Mutant {
  return mutant(name, about, MemoryBackend, 'restore', (original) => (self, entry: StateEntry) => {
    if (entry.state !== state) original(self, entry);
  });
}

/** Faults of patterns, rules and statecharts. */
export const cepMutants: readonly Mutant[] = [
  lost('lose-partial-matches', 'partial matches are gone after a restore', 'runs'),
  lost('lose-statecharts', 'machines begin anew after a restore', 'chart'),
  lost('lose-waiting-elements', 'what waits for a machine is gone after a restore', 'waiting'),
  mutant('lose-waiting-event', 'a checkpoint holds all events that wait for their time but one', EventBuffer, 'entries', (original) => {
    return (self) => [...(original(self) as Iterable<StateEntry>)].slice(1);
  }),
  mutant('time-out-twice', 'a partial match is over twice', OperatorContext, 'outputAt', (original) => {
    return (self, name: string, value: unknown, at: number) => {
      original(self, name, value, at);
      if (name === 'timedOut') original(self, name, value, at);
    };
  }),
  mutant('rule-early', 'a rule applies before its time', RuleBook, 'put', (original) => {
    return (self, change: CheckedChange) => original(self, { ...change, from: change.from - 60 });
  }),
  mutant('rule-retired-early', 'a rule is forgotten while its partial matches go on', RuleBook, 'retire', (original) => {
    return (self, watermark: number) => original(self, watermark + 1000);
  }),
];
