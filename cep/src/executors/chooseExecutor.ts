import type { Automaton } from '../automaton/automaton.ts';
import type { LiveKey } from './executor.ts';
import type { ExecutorForm } from './executorForm.ts';
import { runsCodec } from './runsCodec.ts';
import { RunsExecutor, type RunsOptions } from './runsExecutor.ts';
import type { RunsOfKey } from './runsOfKey.ts';

/** The executor for a pattern and what is asked of it. */
export function chooseExecutor(automaton: Automaton, options: RunsOptions): ExecutorForm<LiveKey> {
  return runsForm(automaton, options, 'it follows each run') as unknown as ExecutorForm<LiveKey>;
}

/** The executor that can do everything. */
export function runsForm(automaton: Automaton, options: RunsOptions, reason: string): ExecutorForm<RunsOfKey> {
  return { name: 'runs', reason, create: (user) => new RunsExecutor(automaton, user, options), codec: runsCodec(automaton) };
}
