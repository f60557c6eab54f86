import type { Automaton } from '../automaton/automaton.ts';
import { Bucket } from './bucket.ts';
import type { LiveKey } from './executor.ts';
import type { Run, Start } from './run.ts';

/** A run that is a match and has not been given out: one with an earlier start may still spoil it. */
export interface Completed {
  readonly run: Run;
  /** The number of the event that completed it. */
  readonly seq: number;
}

/** All that is known of one key: the state of the *runs* executor. */
export class RunsOfKey implements LiveKey {
  /** The number of the last event. */
  seq = 0;
  readonly buckets: (Bucket | undefined)[] = [];
  /** Starts with live runs, in the order in which they began. */
  first: Start | undefined;
  last: Start | undefined;
  completed: Completed[] = [];
  /** How many runs wait for something. */
  live = 0;
  /** In the order in which they came, where their number is limited. */
  order: Run[] = [];
  /** The time for which the key's timer is set; Infinity: it is not. */
  timer: number = Infinity;

  get isIdle(): boolean {
    return this.live === 0 && this.completed.length === 0;
  }

  /** The bucket of a transition, made when it is needed. */
  bucket(automaton: Automaton, transition: number): Bucket {
    return (this.buckets[transition] ??= new Bucket(automaton, transition));
  }

  link(start: Start): void {
    start.previous = this.last;
    if (this.last === undefined) this.first = start;
    else this.last.next = start;
    this.last = start;
  }

  unlink(start: Start): void {
    if (start.previous === undefined) this.first = start.next;
    else start.previous.next = start.next;
    if (start.next === undefined) this.last = start.previous;
    else start.next.previous = start.previous;
    start.previous = start.next = undefined;
  }
}
