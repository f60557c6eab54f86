import type { ReadContext } from '../operators/connector.ts';
import { BatchSize } from './batchSize.ts';
import type { Pull } from './pull.ts';

/**
 * An element that is at hand comes within this many turns of the microtask queue, which take about a microsecond together: an async
 * generator needs three, and each one that it goes through some more.
 */
const PATIENCE = 16;
const TURN = Promise.resolve();

/**
 * Gathers elements into batches without waiting for any: a batch is what is at hand, and never empty. One that is alone goes at once, many
 * that come together travel together. At most one element is asked for ahead. Ends when the elements do or the signal says so.
 */
export async function* availableBatches<T>(pull: Pull<T>, { signal, clock }: ReadContext): AsyncGenerator<T[], void, undefined> {
  const size = new BatchSize(clock);
  const arrivals = new Arrivals(pull, signal);
  try {
    while (await arrivals.wait()) {
      size.begin();
      const batch = [arrivals.take()];
      while (batch.length < size.limit) {
        arrivals.ask();
        for (let turn = 0; turn < PATIENCE && arrivals.asked === 'waiting'; turn++) await TURN;
        if (arrivals.asked !== 'value') break;
        batch.push(arrivals.take());
      }
      size.end(batch.length);
      yield batch;
    }
  } finally {
    arrivals.close();
  }
}

/** The one element that has been asked for. */
class Arrivals<T> {
  /** What has come of it. */
  asked: 'nothing' | 'waiting' | 'value' | 'end' | 'failed' = 'nothing';
  private readonly pull: Pull<T>;
  private readonly signal: AbortSignal;
  private value: T | undefined;
  private error: unknown;
  private notify: (() => void) | undefined;
  private readonly onAbort = (): void => this.notify?.();
  private readonly onArrival = ({ done, value }: { readonly done?: boolean | undefined; readonly value?: T | undefined }): void => {
    this.value = value;
    this.asked = done === true ? 'end' : 'value';
    this.notify?.();
  };
  private readonly onFailure = (error: unknown): void => {
    this.error = error;
    this.asked = 'failed';
    this.notify?.();
  };

  constructor(pull: Pull<T>, signal: AbortSignal) {
    this.pull = pull;
    this.signal = signal;
    signal.addEventListener('abort', this.onAbort);
  }

  ask(): void {
    if (this.asked !== 'nothing') return;
    this.asked = 'waiting';
    try {
      this.pull.next().then(this.onArrival, this.onFailure);
    } catch (error) {
      this.onFailure(error);
    }
  }

  /** Waits for an element. False when there is none any more, or none is wanted. */
  async wait(): Promise<boolean> {
    if (this.signal.aborted) return false;
    this.ask();
    if (this.asked === 'waiting') await new Promise<void>((resolve) => (this.notify = resolve));
    this.notify = undefined;
    if (this.signal.aborted) return false;
    if (this.asked === 'failed') throw this.error;
    return this.asked === 'value';
  }

  take(): T {
    const { value } = this;
    this.value = undefined;
    this.asked = 'nothing';
    return value as T;
  }

  close(): void {
    this.signal.removeEventListener('abort', this.onAbort);
    if (this.asked !== 'end' && this.asked !== 'failed') this.pull.close();
  }
}
