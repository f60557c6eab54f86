import { MillraceError } from '../errors/millraceError.ts';
import type { KeyedBackend } from '../state/backend.ts';
import type { StateHandles, StateShape } from '../state/descriptor.ts';
import type { Key } from '../state/key.ts';
import type { KeyedTimers } from '../state/keyedTimers.ts';
import type { OperatorState, OperatorStateMode, OperatorStates } from '../state/operatorState.ts';
import type { Workspace } from '../state/spill.ts';
import type { Clock } from '../time/clock.ts';
import { type Duration, toMilliseconds } from '../time/duration.ts';
import { addSaturating, isTimestamp, MIN_TIMESTAMP, NO_TIMESTAMP, type Timestamp } from '../time/timestamp.ts';
import type { Logger } from './logger.ts';
import type { Counter, OperatorMetrics } from './operatorMetrics.ts';
import type { RandomGenerator } from './random.ts';

/** Sets and cancels the timers of the current key. */
export interface Timers<N extends string> {
  /** At a time in ms, or `{ after }` the element's time (the clock's, for processing time). Setting it twice is setting it once. */
  set(name: N, at: Timestamp | { readonly after: Duration }): void;
  /** Cancels the timer at `at`; without it, all of the key's timers of this name. */
  cancel(name: N, at?: Timestamp): void;
}

/** A timer that is due. */
export interface Timer<N extends string> {
  readonly name: N;
  readonly at: Timestamp;
}

/** What the handlers of a behaviour are given. Members can be destructured. */
export interface Context<K, S, N extends string, O> {
  readonly key: K;
  /** The element's or event-time timer's time; `undefined` where there is none. */
  readonly timestamp: Timestamp | undefined;
  /** The event-time clock: no element up to here is expected any more. */
  readonly watermark: Timestamp;
  /** Processing time in ms. */
  readonly now: () => Timestamp;
  /** Uniform in [0, 1), from a generator that is part of the state. */
  readonly random: () => number;
  readonly state: StateHandles<S>;
  readonly timers: Timers<N>;
  /** Sends to a side output, with the element's timestamp. */
  readonly output: <P extends keyof O>(name: P, value: O[P]) => void;
  /** A counter among the operator's metrics. */
  readonly counter: (name: string) => Counter;
}

/** The fixed facts of one operator subtask, as the runtime knows them. */
export interface Subtask {
  readonly uid: string;
  readonly name: string;
  readonly index: number;
  readonly parallelism: number;
  readonly maxParallelism: number;
  /** `final`: batch mode, where rolling operators say only their last word. */
  readonly emission: 'rolling' | 'final';
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: OperatorMetrics;
  /** @internal */
  readonly random: RandomGenerator;
  /** @internal */
  readonly backend: KeyedBackend;
  /** @internal */
  readonly keyedTimers: KeyedTimers;
  /** @internal */
  readonly operatorStates: OperatorStates;
  /** Of the lease under which sinks commit: grows with every change of owner; 0 without checkpoints. */
  readonly epoch: number;
  /** Of the checkpoint location: epochs can be compared where it is the same. Empty without checkpoints. */
  readonly lineage: string;
  /**
   * Memory for large buffers, and disk for when it is short.
   *
   * @internal
   */
  readonly workspace: Workspace;
}

/** Passes an element on. */
export type Emit = (value: unknown, timestamp: Timestamp) => void;

/**
 * Everything that an operator sees (law 3): its element's key and time, state, timers, clocks, outputs, metrics. The runtime
 * makes one per operator and subtask and moves `time`, `watermark` and the key before it calls a handler.
 */
export class OperatorContext implements Context<Key, StateShape, string, Record<string, unknown>> {
  /** The current element's timestamp, raw: `-Infinity` where there is none. */
  time: Timestamp = NO_TIMESTAMP;
  watermark: Timestamp = MIN_TIMESTAMP;
  /** The end was passed on: nothing may be emitted any more. What comes back later, where a job is being stopped, is state. */
  isStopped = false;
  /** Passes an element on downstream. Set by the chain. */
  emit: Emit = notConnected;
  /** Gives out a watermark: for operators that own their time. */
  advance: (watermark: Timestamp) => void = notConnected;
  /** Asks the engine to look at this operator again: after `isReady` or `onEnd` said no. Callable from anywhere. */
  wake: () => void = () => undefined;
  /** Ends the current run of elements after this one: the engine asks `isReady` before the next. */
  pause: () => void = notConnected;
  /** Says that what this operator hands on, outside of the engine, can take no more, or can again. Calls come in pairs. */
  block: () => void = notConnected;
  unblock: () => void = notConnected;
  /** Runs a function between two elements of this subtask, as if it were one: how an asynchronous result comes back. */
  mail: (letter: () => void) => void = notConnected;
  /** Deals with an element that cannot be processed as the operator's `onError` says: throws, or sends it to the dead letters. */
  reject: (error: unknown, value: unknown, timestamp: Timestamp) => void = notConnected;
  /** Whether what is emitted now is taken at once. Loops over many results stop when not, and go on when called again. */
  hasCredit: () => boolean = () => true;

  readonly subtask: Subtask;
  readonly state: StateHandles<StateShape>;
  readonly timers: Timers<string>;
  readonly now: () => Timestamp;
  readonly random: () => number;
  readonly output: (name: string, value: unknown) => void;
  readonly counter: (name: string) => Counter;
  /** Side outputs by name, connected by the chain; one that nobody takes is not in here. */
  readonly sides: Map<string, Emit> = new Map();
  private readonly declaredSides: ReadonlySet<string>;

  /** @internal */
  constructor(subtask: Subtask, declared: { readonly state: StateHandles<StateShape>; readonly outputs: readonly string[] }) {
    this.subtask = subtask;
    this.state = declared.state;
    this.declaredSides = new Set(declared.outputs);
    this.timers = { set: (name, at) => this.setTimer(name, at), cancel: (name, at) => subtask.keyedTimers.cancel(name, at) };
    this.now = () => subtask.clock.now();
    this.random = () => subtask.random.next();
    this.output = (name, value) => this.outputAt(name, value, this.time);
    this.counter = (name) => subtask.metrics.counter(name);
  }

  get key(): Key {
    return this.subtask.backend.key;
  }

  get timestamp(): Timestamp | undefined {
    return this.time === NO_TIMESTAMP ? undefined : this.time;
  }

  get metrics(): OperatorMetrics {
    return this.subtask.metrics;
  }

  /** While `onTimer` runs: the name of the timer that is due. */
  get dueName(): string {
    return this.subtask.keyedTimers.dueName;
  }

  /** While `onTimer` runs: the time for which the timer was set. */
  get dueTime(): Timestamp {
    return this.subtask.keyedTimers.dueTime;
  }

  /**
   * Sends to a side output with a timestamp of its own.
   *
   * @throws MillraceError `output/undeclared` for a name that the operator's definition does not list.
   * @example
   * const tee: OperatorDefinition = {
   *   outputs: ['copy'],
   *   create: (context) => ({ inputs: [(n: number) => { context.emit(n, context.time); context.outputAt('copy', n, context.time); }] }),
   * };
   * const numbers = new StreamEnvironment().from(fromArray([1, 2]));
   * console.log(await numbers.transform<number, { copy: number }>(tee).side('copy').collect()); // [ 1, 2 ]
   */
  outputAt(name: string, value: unknown, timestamp: Timestamp): void {
    const side = this.sides.get(name);
    if (side !== undefined) return side(value, timestamp);
    if (this.declaredSides.has(name)) return;
    throw new MillraceError('output/undeclared', `There is no side output "${name}".`, {
      uid: this.subtask.uid,
      remedy: `Declare it beside the handlers: outputs: { ${name}: output<…>() }.`,
    });
  }

  /**
   * Counts an element that came after its time, and sends it to a side output if anybody takes that: it is late and no result.
   *
   * @throws MillraceError `output/undeclared` for a name that the operator's definition does not list.
   * @example
   * const punctual: OperatorDefinition = {
   *   outputs: ['late'],
   *   create: (context) => ({
   *     inputs: [(n: number) => (context.time > context.watermark ? context.emit(n, context.time) : context.outputLate('late', n, context.time))],
   *   }),
   * };
   * console.log(await new StreamEnvironment().from(fromArray([1, 2])).transform<number, { late: number }>(punctual).side('late').collect()); // [ 1, 2 ]
   */
  outputLate(name: string, value: unknown, timestamp: Timestamp): void {
    this.metrics.late++;
    this.divert(name, value, timestamp);
  }

  /**
   * Counts an element that was refused for what `code` names, and sends what there is to say of it to a side output if anybody takes that.
   *
   * @throws MillraceError `output/undeclared` for a name that the operator's definition does not list.
   * @example
   * const positive: OperatorDefinition = {
   *   outputs: ['refused'],
   *   create: (context) => ({
   *     inputs: [(n: number) => (n > 0 ? context.emit(n, context.time) : context.outputRejected('refused', 'user/negative', n, context.time))],
   *   }),
   * };
   * const numbers = new StreamEnvironment().from(fromArray([1, -2])).transform<number, { refused: number }>(positive);
   * console.log(await numbers.side('refused').collect()); // [ -2 ]
   */
  outputRejected(name: string, code: string, value: unknown, timestamp: Timestamp): void {
    this.metrics.reject(code);
    this.divert(name, value, timestamp);
  }

  /**
   * Makes a key the current one outside of its elements: for elements that were held back and are worked off in `onWatermark`.
   *
   * @example
   * const lastWord: OperatorDefinition = {
   *   state: { words: valueState({ initial: 0 }) },
   *   create: (context) => {
   *     const words = context.state['words'] as ValueState<number>;
   *     const seen = new Set<Key>();
   *     return {
   *       inputs: [() => { seen.add(context.key); words.update(words.value() + 1); }],
   *       onEnd: () => { for (const key of seen) { context.enter(key); context.emit(`${key} ${words.value()}`, context.time); } },
   *     };
   *   },
   * };
   * console.log(await new StreamEnvironment().from(fromArray(['tea', 'tea'])).keyBy((word) => word).transform<string>(lastWord).collect()); // [ 'tea 2' ]
   */
  enter(key: Key): void {
    this.subtask.backend.enter(key);
  }

  /**
   * The keys of this subtask that hold state or a timer, in no order.
   *
   * @example
   * const lastWord: OperatorDefinition = {
   *   state: { words: valueState({ initial: 0 }) },
   *   create: (context) => {
   *     const words = context.state['words'] as ValueState<number>;
   *     return {
   *       inputs: [() => words.update(words.value() + 1)],
   *       onEnd: () => { for (const key of context.keys()) { context.enter(key); context.emit(`${key} ${words.value()}`, context.time); } },
   *     };
   *   },
   * };
   * console.log(await new StreamEnvironment().from(fromArray(['tea', 'tea'])).keyBy((word) => word).transform<string>(lastWord).collect()); // [ 'tea 2' ]
   */
  keys(): Iterable<Key> {
    return this.subtask.backend.keys();
  }

  /**
   * Whether anybody takes a side output: work for one that nobody takes can be spared.
   *
   * @example
   * const tee: OperatorDefinition = {
   *   outputs: ['copy'],
   *   create: (context) => ({ inputs: [(n: number) => context.emit(context.hasTaker('copy') ? n : -n, context.time)] }),
   * };
   * console.log(await new StreamEnvironment().from(fromArray([1, 2])).transform<number>(tee).collect()); // [ -1, -2 ]
   */
  hasTaker(name: string): boolean {
    return this.sides.has(name);
  }

  /**
   * State that belongs to no key: a list of plain data, which is part of every snapshot.
   *
   * @throws MillraceError `state/duplicate` for a name that was opened before.
   * @example
   * const numbered: OperatorDefinition = {
   *   create: (context) => {
   *     const seen = context.operatorState<number>('seen', 'split');
   *     return { inputs: [(value: string) => { const [n = 0] = seen.get(); seen.update([n + 1]); context.emit(`${n} ${value}`, context.time); }] };
   *   },
   * };
   * console.log(await new StreamEnvironment().from(fromArray(['a', 'b'])).transform<string>(numbered).collect()); // [ '0 a', '1 b' ]
   */
  operatorState<V>(name: string, mode: OperatorStateMode): OperatorState<V> {
    return this.subtask.operatorStates.open<V>(name, mode);
  }

  private divert(name: string, value: unknown, timestamp: Timestamp): void {
    if (this.sides.has(name)) this.metrics.diverted++;
    this.outputAt(name, value, timestamp);
  }

  private setTimer(name: string, at: Timestamp | { readonly after: Duration }): void {
    const { keyedTimers, clock } = this.subtask;
    if (typeof at === 'number') {
      if (!isTimestamp(at)) throw invalidTimer(name, at, this.subtask.uid);
      return keyedTimers.set(name, at);
    }
    const from = keyedTimers.domainOf(name) === 'processingTime' ? clock.now() : this.time;
    if (from === NO_TIMESTAMP) {
      throw new MillraceError('timer/no-timestamp', `Timer "${name}" counts from the time of an element that has none.`, {
        uid: this.subtask.uid,
        remedy:
          "Give the source a timestamp (time: { timestamp: … }), set the timer at an absolute time, or make it a 'processingTime' timer.",
      });
    }
    keyedTimers.set(name, addSaturating(from, toMilliseconds(at.after, `timer "${name}"`)));
  }
}

function invalidTimer(name: string, at: number, uid: string): MillraceError {
  return new MillraceError('timestamp/invalid', `Timer "${name}" is set at ${at}, which is no integer in ms.`, {
    uid,
    remedy: 'Round it, and look for what made it: a field that is missing, a date that did not parse.',
  });
}

function notConnected(): void {
  throw new MillraceError('operator/contract', 'An operator emits before it is opened.', {
    remedy: 'Emit from handlers only, not while the operator is created.',
  });
}
