import type { ReadContext, Rejected } from '../operators/connector.ts';
import { type Duration, toNonNegativeMilliseconds } from '../time/duration.ts';

declare const step: unique symbol;

/** Something that happens to a {@link testSource} between two elements. Stands among them. */
export interface SourceStep {
  readonly [step]?: true;
}

/** What comes of a step: the batch ends before each, and then… */
export interface StepEffect {
  /** Runs where the step stands. What it throws the reader throws. */
  readonly happen: (context: ReadContext) => Promise<void>;
  /** The split ends here; a reader that goes on behind it reads the rest. */
  readonly ends?: boolean;
  readonly rejected?: Omit<Rejected, 'place'>;
}

const effects = new WeakMap<object, StepEffect>();

/**
 * The reader throws. Only `times` times (default 1), so that a job that recovers comes past it.
 *
 * @example
 * env.from(testSource([1, fault('the line was cut'), 2]));
 */
export function fault(message: string, options: { readonly times?: number } = {}): SourceStep {
  let left = options.times ?? 1;
  return define({
    async happen() {
      if (left-- > 0) throw new Error(message);
    },
  });
}

/**
 * Nothing more comes until the job is stopped or canceled.
 *
 * @example
 * env.from(testSource([1, hang()]));
 */
export function hang(): SourceStep {
  return define({ happen: ({ signal }) => aborted(signal) });
}

/**
 * Nothing comes for so long, by the job's clock.
 *
 * @example
 * env.from(testSource([1, silence({ minutes: 5 }), 2]));
 */
export function silence(duration: Duration): SourceStep {
  const milliseconds = toNonNegativeMilliseconds(duration, 'silence');
  return define({
    async happen({ clock, signal }) {
      let cancel: (() => void) | undefined;
      const over = new Promise<void>((resolve) => (cancel = clock.schedule(clock.now() + milliseconds, resolve)));
      await Promise.race([over, aborted(signal)]);
      cancel?.();
    },
  });
}

/**
 * A batch ends here, and what follows travels in another.
 *
 * @example
 * env.from(testSource([1, 2, batchEnd(), 3]));
 */
export function batchEnd(): SourceStep {
  return define({ happen: async () => undefined });
}

/**
 * The split ends here. A job that goes on from a checkpoint behind this place reads what follows.
 *
 * @example
 * env.from(testSource([1, earlyEnd(), 2]));
 */
export function earlyEnd(): SourceStep {
  return define({ happen: async () => undefined, ends: true });
}

/**
 * A record that the source cannot take in: it goes to the side output `rejected`.
 *
 * @example
 * env.from(testSource([1, rejection('1;2', 'two cells instead of one')])).side('rejected');
 */
export function rejection(value: unknown, reason: string): SourceStep {
  return define({ happen: async () => undefined, rejected: { code: 'source/rejected', reason, value } });
}

/** What a step does; `undefined` for an element. */
export function effectOf(element: unknown): StepEffect | undefined {
  return typeof element === 'object' && element !== null ? effects.get(element) : undefined;
}

function define(effect: StepEffect): SourceStep {
  const made: SourceStep = Object.freeze({});
  effects.set(made, effect);
  return made;
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
