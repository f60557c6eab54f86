import type { CheckpointStorage } from '../checkpoint/storage.ts';
import { MillraceError } from '../errors/millraceError.ts';
import type { CheckpointSettings, RestoreSettings } from '../runtime/checkpointing.ts';
import type { JobParts } from '../runtime/job.ts';
import type { RunOptions } from './runOptions.ts';
import { type Duration, toNonNegativeMilliseconds, toPositiveMilliseconds } from '../time/duration.ts';

/** How a job's state is kept. */
export interface CheckpointOptions {
  /** Where: `directory(path)` of `@millrace/core/node`, `memoryStorage()`, or a store of one's own. */
  readonly storage: CheckpointStorage;
  /** How often. Left out: only when asked for, and at the end. */
  readonly every?: Duration;
  /** `exactlyOnce` (default): barriers are aligned. `atLeastOnce`: nothing waits for a barrier; after a failure some elements count twice. */
  readonly mode?: 'exactlyOnce' | 'atLeastOnce';
  /** A checkpoint that takes longer is given up. Default 10 minutes. */
  readonly timeout?: Duration;
  /** At least this much time between the end of one and the start of the next. Default none. */
  readonly pause?: Duration;
  /** How many complete ones are kept. Default 3. */
  readonly retain?: number;
  /** How many may be under way at once. Default 1. */
  readonly concurrent?: number;
  /** How long this process may be silent before another may take the location over. Default 10 seconds. */
  readonly lease?: Duration;
  /** Wait until the location is free instead of failing when another process holds it. */
  readonly standby?: boolean;
}

/**
 * Where a job goes on from: its latest checkpoint (where there is none it starts fresh and says so), or a savepoint. State of operators
 * that the job does not have is refused, or left out with `allowNonRestoredState`.
 */
export type RestoreOptions =
  | 'latest'
  | { readonly latest: true; readonly allowNonRestoredState?: boolean }
  | { readonly savepoint: CheckpointStorage; readonly allowNonRestoredState?: boolean };

/** What of a job's parts concerns failures. */
export type RecoverySettings = Pick<JobParts, 'checkpoint' | 'restore'>;

/** Fills in defaults and checks. */
export function checkpointSettings(options: CheckpointOptions): CheckpointSettings {
  const { storage, every, mode = 'exactlyOnce', timeout = { minutes: 10 }, pause = {}, retain = 3, concurrent = 1 } = options;
  for (const [name, value] of Object.entries({ retain, concurrent })) {
    if (Number.isSafeInteger(value) && value >= 1) continue;
    throw new MillraceError('graph/option', `checkpoint.${name} is ${value}.`, { remedy: 'Give a whole number of at least 1.' });
  }
  return {
    storage,
    every: every === undefined ? undefined : toPositiveMilliseconds(every, 'checkpoint.every'),
    exactlyOnce: mode === 'exactlyOnce',
    timeout: toPositiveMilliseconds(timeout, 'checkpoint.timeout'),
    pause: toNonNegativeMilliseconds(pause, 'checkpoint.pause'),
    retain,
    concurrent,
    lease: toPositiveMilliseconds(options.lease ?? { seconds: 10 }, 'checkpoint.lease'),
    standby: options.standby === true,
  };
}

export function restoreSettings(options: RestoreOptions): RestoreSettings {
  if (options === 'latest') return { storage: undefined, allowNonRestoredState: false };
  return { storage: 'savepoint' in options ? options.savepoint : undefined, allowNonRestoredState: options.allowNonRestoredState === true };
}

/** How a job keeps its state and where it goes on from, with defaults filled in. */
export function recoverySettings({ checkpoint, restore }: Pick<RunOptions, 'checkpoint' | 'restore'>): RecoverySettings {
  if (checkpoint === undefined && restore !== undefined) {
    throw new MillraceError('graph/option', 'restore is given, and no checkpoint location.', {
      remedy: 'Give checkpoint: { storage } too.',
    });
  }
  return {
    checkpoint: checkpoint === undefined ? undefined : checkpointSettings(checkpoint),
    restore: restore === undefined ? undefined : restoreSettings(restore),
  };
}
