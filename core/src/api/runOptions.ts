import type { ErrorPolicy } from '../graph/builder.ts';
import type { Rejected, Sink } from '../operators/connector.ts';
import type { Logger } from '../operators/logger.ts';
import type { Program } from '../runtime/hostAssignment.ts';
import type { Platform } from '../runtime/platform.ts';
import type { RestartStrategy } from '../runtime/restart.ts';
import { MillraceError } from '../errors/millraceError.ts';
import type { CreditPolicy } from '../runtime/creditWindow.ts';
import { type Duration, toPositiveMilliseconds } from '../time/duration.ts';
import type { CheckpointOptions, RestoreOptions } from './checkpointOptions.ts';
import type { StateBackendOptions } from './stateOptions.ts';

/** How a job is run. */
export interface RunOptions {
  /**
   * `streaming` (default): results as they come. `batch`: bounded sources, final results only. `automatic`: batch when every
   * source is bounded. The final results are the same.
   */
  readonly mode?: 'streaming' | 'batch' | 'automatic';
  /** Number of subtasks of an operator that does not say. Default 1. */
  readonly parallelism?: number;
  /** Number of key groups: the most that the job can ever be scaled to. Default 128, or more for high parallelism. */
  readonly maxParallelism?: number;
  /** Cancels the job. */
  readonly signal?: AbortSignal;
  /** What happens to an element whose user function throws: the job fails (default), or goes on without it. */
  readonly onError?: ErrorPolicy;
  /** Where elements go under the policy `deadLetter`, and what sources refuse and nobody takes: see `env.deadLetterTo`. */
  readonly deadLetters?: Sink<Rejected>;
  /** Where the engine writes warnings and errors. Default: the console's standard error. */
  readonly logger?: Logger;
  /** The seed of `context.random()`. Default 0. */
  readonly seed?: number;
  /** Most records that may wait on a way from one subtask to another, at least 1. Default 8192. */
  readonly credit?: number;
  /** What waits between two subtasks should be worked off within this time, so that no checkpoint has to wait longer. Default 1 second. */
  readonly targetDelay?: Duration;
  /** Where keyed state lives: in memory (default), or on disk, for state larger than memory. */
  readonly state?: StateBackendOptions;
  /** Keeps the job's state, so that it survives failures and restarts exactly once. Streaming mode only. */
  readonly checkpoint?: CheckpointOptions;
  /** Where the job goes on from. */
  readonly restore?: RestoreOptions;
  /**
   * Whether a failed job is started again. Default: after growing waits where checkpoints are on, else not. In batch mode what came to its end
   * before a blocking exchange does not run again.
   */
  readonly restart?: RestartStrategy;
  /**
   * Where tasks run. `inline`: on this thread. `workers`: the n-th subtasks of all operators on the n-th worker thread, for a job that is
   * a module. `processes`: the same in child processes. Default: `workers` for a job module whose parallelism is more than 1, else `inline`.
   */
  readonly driver?: 'inline' | 'workers' | 'processes';
  /**
   * Where others find the job.
   *
   * @internal
   */
  readonly program?: Program;
  /** Whether each task's driver is generated as code of its own. Default: where the host allows it. Without, everything is the same but slower. */
  readonly generateCode?: boolean;
  /** The host, for tests with a clock of their own. Default: the one that runs this. */
  readonly platform?: Platform;
}

/** Fills in defaults and checks. */
export function creditPolicy({ credit = 8192, targetDelay = { seconds: 1 } }: RunOptions): CreditPolicy {
  if (!Number.isSafeInteger(credit) || credit < 1) {
    throw new MillraceError('graph/option', `credit is ${credit}.`, { remedy: 'Give a whole number of at least 1.' });
  }
  return { credit, targetDelay: toPositiveMilliseconds(targetDelay, 'targetDelay') };
}
