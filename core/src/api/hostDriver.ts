import { MillraceError } from '../errors/millraceError.ts';
import type { HostDriver } from '../runtime/hostDriver.ts';
import type { HostParts } from '../runtime/localHost.ts';
import type { RunOptions } from './runOptions.ts';

/**
 * What puts the job's tasks on other threads; `undefined` when they run on this one.
 *
 * @throws MillraceError `graph/option` for workers without a module that they could import.
 */
export async function hostDriver(
  { driver, program, parallelism = 1, deadLetters }: RunOptions,
  parts: Omit<HostParts, 'epoch' | 'lineage'>,
): Promise<HostDriver | undefined> {
  const { plan, platform, onError, seed, generateCode, credit, exactlyOnce, state } = parts;
  const widest = Math.max(...plan.chains.map((chain) => chain.parallelism));
  const wanted = driver ?? (widest > 1 && program !== undefined ? 'workers' : 'inline');
  if (wanted === 'inline' || (driver === undefined && platform.drivers === undefined)) return undefined;
  if (program === undefined || platform.drivers === undefined) {
    throw new MillraceError('graph/option', `driver is '${wanted}', and there is no module that a worker could import.`, {
      remedy: 'Define the job in a module of its own, with defineJob({ module: import.meta, … }), or leave driver out.',
    });
  }
  return platform.drivers[wanted]({
    program,
    hosts: 1 + widest,
    mode: plan.mode,
    parallelism,
    maxParallelism: plan.maxParallelism,
    onError,
    deadLettersElsewhere: deadLetters !== undefined,
    isCheckpointed: plan.isCheckpointed,
    seed,
    generateCode,
    exactlyOnce,
    credit,
    state,
  });
}
