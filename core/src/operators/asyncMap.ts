import { describeError } from '../errors/describe.ts';
import { MillraceError } from '../errors/millraceError.ts';
import type { OperatorStateEntry } from '../state/operatorState.ts';
import { type Duration, formatDuration, toNonNegativeMilliseconds, toPositiveMilliseconds } from '../time/duration.ts';
import { MAX_TIMESTAMP, MIN_TIMESTAMP, type Timestamp } from '../time/timestamp.ts';
import type { Operator, OperatorDefinition } from './operator.ts';
import type { OperatorContext } from './operatorContext.ts';

/** An asynchronous function over the elements, several at a time. */
export interface AsyncMap<T, R, X> {
  /** Opens what all calls of a subtask share, such as a client. */
  readonly open?: () => X | Promise<X>;
  readonly close?: (resource: X) => void | Promise<void>;
  /** Called per element. The signal is aborted at the time-out and when the job ends early. */
  readonly run: (value: T, context: { readonly resource: X; readonly signal: AbortSignal }) => Promise<R>;
  /** How many calls may be under way at once, per subtask. Default 100. */
  readonly capacity?: number;
  /** A call that takes longer has failed with `async/timeout`. Default: calls take as long as they take. */
  readonly timeout?: Duration;
  /** `input` (default): results in the order of the elements. `completion`: as they come, but never past a watermark. */
  readonly order?: 'input' | 'completion';
  /** How often a failed call is tried in all, and how long to wait before the second try; doubled before each further one. */
  readonly retry?: { readonly attempts: number; readonly backoff?: Duration };
}

/** An element whose last try failed. */
export interface FailedCall<out T> {
  readonly value: T;
  readonly error: unknown;
}

/** An element under way, or a watermark that waits for those before it. */
type Entry = Call | { readonly kind: 'watermark'; readonly at: Timestamp };

interface Call {
  readonly kind: 'call';
  readonly value: unknown;
  readonly time: Timestamp;
  attempt: number;
  outcome: { readonly result: unknown } | { readonly error: unknown } | undefined;
  abort: AbortController | undefined;
  cancelTimer: (() => void) | undefined;
}

/** What a subtask has under way, as a checkpoint holds it. */
interface SavedCalls {
  readonly subtask: number;
  readonly parallelism: number;
  readonly entries: readonly ({ readonly value: unknown; readonly time: Timestamp } | { readonly watermark: Timestamp })[];
}

/** The options as the operator uses them. */
interface Settings {
  readonly capacity: number;
  readonly timeout: number | undefined;
  readonly ordered: boolean;
  readonly attempts: number;
  readonly backoff: number;
}

/** Runs an asynchronous function over the elements. What is under way is state: after a restore it is asked again. */
export function asyncMapOperator(definition: AsyncMap<never, unknown, unknown>): OperatorDefinition {
  const settings = settingsOf(definition);
  return { outputs: ['failed'], create: (context) => new AsyncMapOperator(context, definition, settings) };
}

function settingsOf({ capacity = 100, timeout, order = 'input', retry }: AsyncMap<never, unknown, unknown>): Settings {
  const attempts = retry?.attempts ?? 1;
  for (const [name, value] of Object.entries({ capacity, 'retry.attempts': attempts })) {
    if (Number.isSafeInteger(value) && value >= 1) continue;
    throw new MillraceError('graph/option', `asyncMap: ${name} is ${value}.`, { remedy: 'Give a whole number of at least 1.' });
  }
  return {
    capacity,
    timeout: timeout === undefined ? undefined : toPositiveMilliseconds(timeout, 'timeout'),
    ordered: order === 'input',
    attempts,
    backoff: retry?.backoff === undefined ? 0 : toNonNegativeMilliseconds(retry.backoff, 'retry.backoff'),
  };
}

class AsyncMapOperator implements Operator {
  readonly inputs: readonly ((value: never) => void)[] = [(value) => this.element(value)];
  readonly ownsTime = true;
  private readonly context: OperatorContext;
  private readonly definition: AsyncMap<unknown, unknown, unknown>;
  private readonly settings: Settings;
  private resource: unknown;
  private opened = false;
  private readonly queue: Entry[] = [];
  private calls = 0;
  /** What the subtasks of a checkpoint had under way. */
  private restored: SavedCalls[] = [];

  constructor(context: OperatorContext, definition: AsyncMap<never, unknown, unknown>, settings: Settings) {
    this.context = context;
    this.definition = definition as AsyncMap<unknown, unknown, unknown>;
    this.settings = settings;
  }

  open(): void | Promise<void> {
    const resource = this.definition.open?.();
    const begin = (opened: unknown): void => {
      this.resource = opened;
      this.opened = true;
      this.takeOver();
      for (const entry of this.queue) if (entry.kind === 'call') this.call(entry);
    };
    return resource instanceof Promise ? resource.then(begin) : begin(resource);
  }

  isReady(): boolean {
    return this.calls < this.settings.capacity;
  }

  onWatermark(at: Timestamp): void {
    // The end of time follows by itself when the input's end has passed.
    if (at === MAX_TIMESTAMP) return;
    if (this.queue.length === 0) this.context.advance(at);
    else this.queue.push({ kind: 'watermark', at });
  }

  onEnd(): boolean {
    return this.queue.length === 0;
  }

  async close(): Promise<void> {
    for (const entry of this.queue) {
      if (entry.kind !== 'call') continue;
      entry.cancelTimer?.();
      entry.abort?.abort();
    }
    this.queue.length = 0;
    if (this.opened) await this.definition.close?.(this.resource);
  }

  operatorEntries(): Iterable<OperatorStateEntry> {
    if (this.queue.length === 0) return [];
    const { index: subtask, parallelism } = this.context.subtask;
    const entries = this.queue.map((entry) => (entry.kind === 'call' ? { value: entry.value, time: entry.time } : { watermark: entry.at }));
    return [{ state: 'calls', mode: 'union', items: [{ subtask, parallelism, entries } satisfies SavedCalls] }];
  }

  restoreOperatorEntry({ items }: OperatorStateEntry): void {
    this.restored.push(...(items as readonly SavedCalls[]));
  }

  private takeOver(): void {
    const { index, parallelism } = this.context.subtask;
    const saved = this.restored;
    this.restored = [];
    if (saved.every((each) => each.parallelism === parallelism)) {
      for (const entry of saved.find(({ subtask }) => subtask === index)?.entries ?? []) {
        if ('watermark' in entry) this.queue.push({ kind: 'watermark', at: entry.watermark });
        else this.enqueue(entry.value, entry.time);
      }
      return;
    }
    // Calls go round. Of the watermarks between them only one holds for those of all subtasks: the smallest of the last.
    const calls = saved.flatMap(({ entries }) => entries).flatMap((entry) => ('watermark' in entry ? [] : [entry]));
    for (const [i, { value, time }] of calls.entries()) if (i % parallelism === index) this.enqueue(value, time);
    if (this.queue.length > 0 && this.context.watermark !== MIN_TIMESTAMP) {
      this.queue.push({ kind: 'watermark', at: this.context.watermark });
    }
  }

  private element(value: unknown): void {
    this.call(this.enqueue(value, this.context.time));
    if (!this.isReady()) this.context.pause();
  }

  private enqueue(value: unknown, time: Timestamp): Call {
    const call: Call = { kind: 'call', value, time, attempt: 0, outcome: undefined, abort: undefined, cancelTimer: undefined };
    this.queue.push(call);
    this.calls++;
    return call;
  }

  private call(call: Call): void {
    const attempt = ++call.attempt;
    call.abort = new AbortController();
    this.armTimeout(call);
    const settle = (outcome: NonNullable<Call['outcome']>): void => {
      if (call.attempt === attempt && call.outcome === undefined) this.context.mail(() => this.settle(call, attempt, outcome));
    };
    // A function that throws before it returns a promise has failed like one whose promise is rejected.
    const running = (async () => this.definition.run(call.value, { resource: this.resource, signal: call.abort!.signal }))();
    running.then(
      (result) => settle({ result }),
      (error: unknown) => settle({ error }),
    );
  }

  private armTimeout(call: Call): void {
    const { timeout } = this.settings;
    if (timeout === undefined) return;
    const { attempt } = call;
    const { clock } = this.context.subtask;
    call.cancelTimer = clock.schedule(clock.now() + timeout, () => {
      const error = new MillraceError('async/timeout', `A call took longer than ${formatDuration(timeout)}.`, {
        remedy: "Raise timeout, retry, or take the element from .side('failed').",
      });
      this.context.mail(() => this.settle(call, attempt, { error }));
      call.abort?.abort(error);
    });
  }

  private settle(call: Call, attempt: number, outcome: NonNullable<Call['outcome']>): void {
    if (this.context.isStopped || call.attempt !== attempt || call.outcome !== undefined) return;
    call.cancelTimer?.();
    if ('error' in outcome && attempt < this.settings.attempts) return this.retry(call);
    call.outcome = outcome;
    this.drain(call);
  }

  private retry(call: Call): void {
    const wait = this.settings.backoff * 2 ** (call.attempt - 1);
    if (wait === 0) return this.call(call);
    const { clock } = this.context.subtask;
    call.cancelTimer = clock.schedule(clock.now() + wait, () => this.call(call));
  }

  /** Passes on what may go now, beginning with what has just come back. */
  private drain(arrived: Call | undefined): void {
    if (arrived !== undefined && !this.settings.ordered && this.isInFirstSegment(arrived)) this.take(this.queue.indexOf(arrived));
    while (this.queue.length > 0 && !this.context.isStopped) {
      if (!this.context.hasCredit()) return this.context.mail(() => this.drain(undefined));
      if (!this.takeNext()) return;
    }
  }

  private takeNext(): boolean {
    const head = this.queue[0]!;
    if (head.kind === 'watermark') {
      this.queue.shift();
      this.context.advance(head.at);
      // The watermark passes the rest of the chain before the next letter, and so before what stands behind it here.
      this.context.mail(() => this.drain(undefined));
      return false;
    }
    const at = this.settings.ordered ? (head.outcome === undefined ? -1 : 0) : this.firstDone();
    if (at < 0) return false;
    this.take(at);
    return true;
  }

  /** The first result before the next watermark. */
  private firstDone(): number {
    for (let i = 0; i < this.queue.length; i++) {
      const entry = this.queue[i]!;
      if (entry.kind === 'watermark') return -1;
      if (entry.outcome !== undefined) return i;
    }
    return -1;
  }

  private isInFirstSegment(call: Call): boolean {
    for (const entry of this.queue) {
      if (entry.kind === 'watermark') return false;
      if (entry === call) return true;
    }
    return false;
  }

  private take(at: number): void {
    const [call] = this.queue.splice(at, 1) as [Call];
    this.calls--;
    const { outcome, time, value } = call;
    if ('result' in outcome!) this.context.emit(outcome.result, time);
    else this.fail(value, outcome!.error, time);
    this.context.wake();
  }

  private fail(value: unknown, error: unknown, time: Timestamp): void {
    if (this.context.hasTaker('failed')) {
      const code = error instanceof MillraceError ? error.code : 'async/failed';
      return this.context.outputRejected('failed', code, { value, error } satisfies FailedCall<unknown>, time);
    }
    const failure =
      error instanceof MillraceError
        ? error
        : new MillraceError('async/failed', `An asynchronous call failed: ${describeError(error)}.`, {
            remedy: "Retry, or take such elements from .side('failed').",
            cause: error,
          });
    this.context.reject(failure, value, time);
  }
}
