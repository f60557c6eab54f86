import type { Key, Timestamp } from '@millrace/core';
import type { Automaton } from '../automaton/automaton.ts';
import { runsForm } from '../executors/chooseExecutor.ts';
import type { Executor } from '../executors/executor.ts';
import type { RunsOptions } from '../executors/runsExecutor.ts';
import type { RunsOfKey } from '../executors/runsOfKey.ts';
import { RunTracer } from './runTracer.ts';
import type { TraceOptions, TraceStep } from './traceStep.ts';

/**
 * Follows a few keys a second time, beside the executor that is at work: run by run, whichever executor that is, so that tracing changes
 * neither what is found nor what is held in state. It knows what it has seen itself: nothing of partial matches from before a restore.
 */
export class PatternTrace<M = never> {
  private readonly tracer: RunTracer;
  private readonly executor: Executor<RunsOfKey>;
  private readonly keys = new Map<unknown, TracedKey>();
  private readonly log: (step: TraceStep<M>, key: Key) => void;

  constructor(automaton: Automaton, options: RunsOptions, { keys, log = print }: TraceOptions<M>) {
    this.tracer = new RunTracer(automaton);
    this.log = log;
    for (const key of keys) this.keys.set(idOf(key), { key, live: undefined });
    this.executor = runsForm(automaton, options, 'it is traced').create({
      tellsTimedOut: () => false,
      match: (found, at) => this.tracer.matched(found, at),
      timedOut: () => {},
      observer: this.tracer,
    });
  }

  /** The next event of a key. */
  event(key: Key, event: unknown, at: Timestamp): void {
    const traced = this.keys.get(idOf(key));
    if (traced === undefined) return;
    const live = (traced.live ??= this.executor.create());
    this.follow(traced, at, () => {
      this.executor.advance(live, at, false);
      this.tracer.begin(at);
      this.executor.accept(live, event, at);
    });
  }

  /** Time has come to `at` for all keys. */
  advance(at: Timestamp): void {
    for (const traced of this.keys.values()) this.move(traced, at);
  }

  /** Time has come to `at` for a key. */
  advanceKey(key: Key, at: Timestamp): void {
    const traced = this.keys.get(idOf(key));
    if (traced !== undefined) this.move(traced, at);
  }

  private move(traced: TracedKey, at: Timestamp): void {
    const { live } = traced;
    if (live !== undefined) this.follow(traced, at, () => this.executor.advance(live, at, true));
  }

  private follow(traced: TracedKey, at: Timestamp, move: () => void): void {
    this.tracer.begin(at);
    try {
      move();
    } catch {
      // A condition that fails does so in the executor at work, too, and is dealt with there.
    }
    if (traced.live?.isIdle === true) traced.live = undefined;
    for (const step of this.tracer.take()) this.log(step as TraceStep<M>, traced.key);
  }
}

interface TracedKey {
  readonly key: Key;
  /** `undefined`: nothing is held of it. */
  live: RunsOfKey | undefined;
}

/** Keys of several parts are alike when their parts are. */
function idOf(key: Key): unknown {
  return typeof key === 'object' ? `[${key.map((part) => `${typeof part} ${JSON.stringify(String(idOf(part)))}`).join()}]` : key;
}

function print({ text }: { readonly text: string }, key: Key): void {
  console.log(`${String(key)}: ${text}`);
}
