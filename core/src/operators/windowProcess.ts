import type { StateHandles, StateShape } from '../state/descriptor.ts';
import type { Timestamp } from '../time/timestamp.ts';
import { maxTimestamp, type Pane, type TimeWindow } from '../time/window.ts';
import type { Emits } from './emits.ts';
import type { OperatorContext } from './operatorContext.ts';
import type { Counter } from './operatorMetrics.ts';
import type { WindowFiring, WindowFunction } from './windowContents.ts';

/** What a window function is given beside the elements. Members can be destructured. */
export interface WindowContext<K, S, O> {
  readonly key: K;
  readonly window: TimeWindow;
  /** Which firing of the window this is. */
  readonly pane: Pane;
  /** The event-time clock: no element up to here is expected any more. */
  readonly watermark: Timestamp;
  /** Processing time in ms. */
  readonly now: () => Timestamp;
  /** Uniform in [0, 1), from a generator that is part of the state. */
  readonly random: () => number;
  /** State of the key, over all its windows. */
  readonly state: StateHandles<S>;
  /** Sends to a side output, with the window's last ms as timestamp. */
  readonly output: <P extends keyof O>(name: P, value: O[P]) => void;
  /** A counter among the operator's metrics. */
  readonly counter: (name: string) => Counter;
}

/** The context of a window operator's calls: one, moved from firing to firing. */
export class WindowCallContext implements WindowContext<unknown, StateShape, Record<string, unknown>> {
  private firing: WindowFiring | undefined;
  private readonly context: OperatorContext;
  readonly now: () => Timestamp;
  readonly random: () => number;
  readonly state: StateHandles<StateShape>;
  readonly output: (name: string, value: unknown) => void;
  readonly counter: (name: string) => Counter;

  constructor(context: OperatorContext) {
    const { now, random, state, counter } = context;
    this.context = context;
    this.now = now;
    this.random = random;
    this.state = state;
    this.counter = counter;
    this.output = (name, value) => context.outputAt(name, value, maxTimestamp(this.window));
  }

  of(firing: WindowFiring): this {
    this.firing = firing;
    return this;
  }

  get key(): unknown {
    return this.firing!.key;
  }

  get window(): TimeWindow {
    return this.firing!.window;
  }

  get pane(): Pane {
    return this.firing!.pane;
  }

  get watermark(): Timestamp {
    return this.context.watermark;
  }
}

/** A user's function over the elements of a window. What it gives back is emitted. */
export function processElements(
  context: OperatorContext,
  onWindow: (elements: readonly never[], context: never) => Emits,
): WindowFunction<readonly unknown[]> {
  const call = new WindowCallContext(context);
  return (elements, firing, results) => append(onWindow(elements as readonly never[], call.of(firing) as never), results);
}

/** Appends what a handler returned. */
export function append(emitted: Emits, results: unknown[]): void {
  if (emitted !== undefined) for (const result of emitted) results.push(result);
}
