import type { Automaton } from '../automaton/automaton.ts';
import { compactCodec } from './compactCodec.ts';
import { CompactExecutor, obstacleToCompact } from './compactExecutor.ts';
import type { CompactOfKey } from './compactOfKey.ts';
import type { LiveKey } from './executor.ts';
import type { ExecutorForm } from './executorForm.ts';
import { runsCodec } from './runsCodec.ts';
import { RunsExecutor, type RunsOptions } from './runsExecutor.ts';
import type { RunsOfKey } from './runsOfKey.ts';

/** The executor for a pattern and what is asked of it. */
export function chooseExecutor(automaton: Automaton, options: RunsOptions): ExecutorForm<LiveKey> {
  const obstacle = obstacleOf(options) ?? obstacleToCompact(automaton);
  const form = obstacle === undefined ? compactForm(automaton, options) : runsForm(automaton, options, obstacle);
  // Whoever uses a form hands back only what it made itself.
  return form as unknown as ExecutorForm<LiveKey>;
}

/** The executor that can do everything. */
export function runsForm(automaton: Automaton, options: RunsOptions, reason: string): ExecutorForm<RunsOfKey> {
  return { name: 'runs', reason, create: (user) => new RunsExecutor(automaton, user, options), codec: runsCodec(automaton) };
}

function compactForm(automaton: Automaton, { emit }: RunsOptions): ExecutorForm<CompactOfKey> {
  const reason = 'conditions speak of the event alone, and nothing is skipped after a match';
  return { name: 'compact', reason, create: (user) => new CompactExecutor(automaton, user, emit), codec: compactCodec(automaton) };
}

function obstacleOf({ afterMatch, maxPartials }: RunsOptions): string | undefined {
  if (afterMatch.skip !== 'none') return 'a match drops other runs';
  return maxPartials === undefined ? undefined : 'the number of partial matches is limited';
}
