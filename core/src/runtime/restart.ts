import { MillraceError } from '../errors/millraceError.ts';
import { type Duration, toNonNegativeMilliseconds, toPositiveMilliseconds } from '../time/duration.ts';

/** Whether and when a job that failed is started again. Made by {@link noRestart}, {@link fixedDelay}, {@link exponentialDelay}, {@link failureRate}. */
export interface RestartStrategy {
  /** For people, such as `fixed delay 10s, 3 attempts`. */
  readonly name: string;
  /** A fresh count, for one job. */
  readonly begin: () => RestartCount;
}

/** What a strategy makes of one job's failures. */
export interface RestartCount {
  /** Told of a failure at `now` (processing time in ms) and of the start before it. The wait in ms, or `undefined` to give up. */
  next(now: number, startedAt: number, random: () => number): number | undefined;
}

/**
 * A failure is the job's end.
 *
 * @example
 * env.from(fromArray([1, 2])).sinkTo(print());
 * await env.execute('numbers', { restart: noRestart() });
 * // 1
 * // 2
 */
export function noRestart(): RestartStrategy {
  return { name: 'none', begin: () => ({ next: () => undefined }) };
}

/**
 * Starts again after the same wait, up to a number of times (for ever when left out).
 *
 * @throws MillraceError `duration/invalid`; `graph/option` for attempts that are no whole number.
 * @example
 * const restart = fixedDelay({ delay: { seconds: 10 }, attempts: 3 });
 * console.log(restart.name); // fixed delay 10000 ms
 */
export function fixedDelay({ delay, attempts = Infinity }: { readonly delay: Duration; readonly attempts?: number }): RestartStrategy {
  const wait = toNonNegativeMilliseconds(delay, 'delay');
  checkAttempts(attempts);
  return {
    name: `fixed delay ${wait} ms`,
    begin: () => {
      let left = attempts;
      return { next: () => (left-- > 0 ? wait : undefined) };
    },
  };
}

/** Options of {@link exponentialDelay}. */
export interface ExponentialDelayOptions {
  /** The first wait. Default 1 s. */
  readonly initial?: Duration;
  /** The longest wait. Default 1 min. */
  readonly max?: Duration;
  /** By how much each wait is longer than the one before. Default 1.5. */
  readonly multiplier?: number;
  /** Up to which part of a wait chance may add or take away, so that jobs that failed together do not all come back together. Default 0.1. */
  readonly jitter?: number;
  /** A job that ran this long begins with the first wait again. Default 1 h. */
  readonly resetAfter?: Duration;
  /** How often in a row, for ever when left out. */
  readonly attempts?: number;
}

/**
 * Starts again after waits that grow while the job keeps failing: the default where checkpoints are on.
 *
 * @throws MillraceError `duration/invalid`; `graph/option` for numbers out of their range.
 * @example
 * const restart = exponentialDelay({ initial: { seconds: 1 }, max: { minutes: 5 }, attempts: 20 });
 * console.log(restart.name); // exponential delay 1000 … 300000 ms
 */
export function exponentialDelay(options: ExponentialDelayOptions = {}): RestartStrategy {
  const { multiplier = 1.5, jitter = 0.1, attempts = Infinity } = options;
  const initial = toPositiveMilliseconds(options.initial ?? { seconds: 1 }, 'initial');
  const max = toPositiveMilliseconds(options.max ?? { minutes: 1 }, 'max');
  const resetAfter = toPositiveMilliseconds(options.resetAfter ?? { hours: 1 }, 'resetAfter');
  checkAttempts(attempts);
  if (!(multiplier >= 1) || !(jitter >= 0 && jitter <= 1)) {
    throw new MillraceError('graph/option', `multiplier is ${multiplier}, jitter ${jitter}.`, {
      remedy: 'Give a multiplier of at least 1 and a jitter from 0 to 1.',
    });
  }
  return {
    name: `exponential delay ${initial} … ${max} ms`,
    begin: () => {
      let failures = 0;
      return {
        next(now, startedAt, random) {
          if (now - startedAt >= resetAfter) failures = 0;
          if (failures >= attempts) return undefined;
          const wait = Math.min(initial * multiplier ** failures++, max);
          return Math.round(wait * (1 + jitter * (2 * random() - 1)));
        },
      };
    },
  };
}

/**
 * Starts again unless there were more than `failures` within `per`.
 *
 * @throws MillraceError `duration/invalid`; `graph/option` for failures that are no whole number.
 * @example
 * const restart = failureRate({ failures: 3, per: { minutes: 10 }, delay: { seconds: 5 } });
 * console.log(restart.name); // at most 3 failures per 600000 ms
 */
export function failureRate({
  failures,
  per,
  delay = { seconds: 1 },
}: {
  readonly failures: number;
  readonly per: Duration;
  readonly delay?: Duration;
}): RestartStrategy {
  const window = toPositiveMilliseconds(per, 'per');
  const wait = toNonNegativeMilliseconds(delay, 'delay');
  checkAttempts(failures);
  return {
    name: `at most ${failures} failures per ${window} ms`,
    begin: () => {
      let times: number[] = [];
      return {
        next(now) {
          times = [...times.filter((time) => time > now - window), now];
          return times.length > failures ? undefined : wait;
        },
      };
    },
  };
}

function checkAttempts(attempts: number): void {
  if (attempts === Infinity || (Number.isSafeInteger(attempts) && attempts >= 0)) return;
  throw new MillraceError('graph/option', `${attempts} is no number of attempts.`, { remedy: 'Give a whole number, 0 or more.' });
}

/** What is done where nothing is said: a job that keeps its state goes on after growing waits, another ends. */
export function defaultRestart(isCheckpointed: boolean): RestartStrategy {
  return isCheckpointed ? exponentialDelay() : noRestart();
}
