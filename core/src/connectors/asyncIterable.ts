import { MillraceError } from '../errors/millraceError.ts';
import { defineSink, type Sink } from '../operators/connector.ts';

/** A sink whose elements can be iterated while the job runs. */
export interface IterableSink<T> extends Sink<T>, AsyncIterable<T> {}

/** Options of {@link asyncIterable}. */
export interface AsyncIterableOptions {
  /** The job waits while about this many elements wait for the consumer. Default 1024. */
  readonly capacity?: number;
}

/**
 * A sink that is an async iterable: the job's results for a `for await` loop. The loop's pace is the job's: while it has not taken what is
 * there, the job waits. So iterate while the job runs; a job that nobody reads from does not come to its end.
 *
 * The iteration ends with the job. When the job fails or is canceled, it throws the job's error after the elements that were there. A
 * loop that is left early wants nothing more: the job goes on for its other sinks, and further elements are dropped. There is one
 * iteration: loops that run at the same time share the elements.
 *
 * @example
 * const results = asyncIterable<number>();
 * env.from(fromArray([1, 2, 3])).map((n) => n * 2).sinkTo(results);
 * const job = await env.start('doubled');
 * for await (const n of results) console.log(n);
 * // 2
 * // 4
 * // 6
 * await job.finished;
 */
export function asyncIterable<T>(options: AsyncIterableOptions = {}): IterableSink<T> {
  const { capacity = 1024 } = options;
  if (!(capacity >= 1)) {
    throw new MillraceError('config/invalid', `asyncIterable: the capacity is ${capacity}.`, { remedy: 'Give a number of at least 1.' });
  }
  const handover = new Handover<T>(capacity);
  const sink = defineSink<T>({
    name: 'asyncIterable',
    open: () => {
      handover.open();
      return {
        write: (values) => handover.write(values),
        prepare: async () => [],
        commit: async () => undefined,
        close: async (failure) => handover.close(failure),
      };
    },
  });
  return { ...sink, [Symbol.asyncIterator]: () => handover };
}

/** Elements on their way from the writers of a job to a consumer. */
class Handover<T> implements AsyncIterator<T, undefined> {
  private readonly capacity: number;
  private queue: T[] = [];
  private head = 0;
  private readonly waiting: {
    readonly resolve: (result: IteratorResult<T, undefined>) => void;
    readonly reject: (error: unknown) => void;
  }[] = [];
  /** Subtasks that write. */
  private writers = 0;
  private failure: { readonly error: unknown } | undefined;
  private phase: 'open' | 'ended' | 'left' = 'open';
  private room: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  open(): void {
    this.writers++;
    if (this.phase === 'ended') this.phase = 'open';
  }

  write(values: readonly T[]): void | Promise<void> {
    if (this.phase === 'left') return;
    for (const value of values) {
      const consumer = this.waiting.shift();
      if (consumer === undefined) this.queue.push(value);
      else consumer.resolve({ done: false, value });
    }
    if (this.held >= this.capacity) return (this.room ??= createRoom()).promise;
  }

  close(failure: unknown): void {
    if (failure !== undefined) this.failure ??= { error: failure };
    if (--this.writers > 0) return;
    if (this.phase === 'open') this.phase = 'ended';
    while (this.waiting.length > 0) {
      const { resolve, reject } = this.waiting.shift()!;
      this.finish().then(resolve, reject);
    }
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.held > 0) return Promise.resolve({ done: false, value: this.take() });
    if (this.phase !== 'open') return this.finish();
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.phase = 'left';
    this.queue = [];
    this.head = 0;
    this.makeRoom();
    for (const { resolve } of this.waiting.splice(0)) resolve({ done: true, value: undefined });
    return Promise.resolve({ done: true, value: undefined });
  }

  private get held(): number {
    return this.queue.length - this.head;
  }

  private take(): T {
    const value = this.queue[this.head]!;
    this.queue[this.head++] = undefined as T;
    // What was taken is cut off once in a while: cutting one by one would move all the others each time.
    if (this.head * 2 >= this.queue.length) {
      this.queue = this.queue.slice(this.head);
      this.head = 0;
    }
    // Half of it, so that the job is not woken for each element.
    if (this.held <= this.capacity / 2) this.makeRoom();
    return value;
  }

  private makeRoom(): void {
    this.room?.resolve();
    this.room = undefined;
  }

  /** The end, or once the error that led to it. */
  private finish(): Promise<IteratorResult<T, undefined>> {
    const { failure } = this;
    this.failure = undefined;
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- what the job failed with, as it is
    return failure === undefined || this.phase === 'left'
      ? Promise.resolve({ done: true, value: undefined })
      : Promise.reject(failure.error);
  }
}

function createRoom(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}
