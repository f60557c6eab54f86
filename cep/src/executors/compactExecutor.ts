import { ANY, type Automaton, type Guard, RELAXED, STRICT, type Transition } from '../automaton/automaton.ts';
import { PredicateMask } from '../automaton/predicateMask.ts';
import type { EmitMode } from '../pattern/pattern.ts';
import { CompactNode, cutExpired, enumerate, union } from './compactNode.ts';
import { CompactBucket, CompactOfKey } from './compactOfKey.ts';
import type { Executor, FoundMatch, TakenEvent } from './executor.ts';
import type { ExecutorUser } from './executorForm.ts';

/**
 * Follows all partial matches that wait in a transition as one set: an event costs the same however many there are, and matches are written
 * out only when they are given out. For patterns whose conditions speak of the event alone, without a strategy after a match.
 */
export class CompactExecutor implements Executor<CompactOfKey> {
  readonly droppedRuns = 0;
  private readonly automaton: Automaton;
  private readonly user: ExecutorUser;
  private readonly emit: EmitMode;
  private readonly mask: PredicateMask;
  private readonly within: number;
  private readonly born: CompactNode[] = [];
  private readonly complete: CompactNode[] = [];
  /** Transitions that ask something of the very next event. */
  private readonly asksFirst: readonly boolean[];
  private readonly starts: readonly Transition[];
  /** By transition: the state that it leads out of. */
  private readonly sources: readonly number[];
  /** The states of sets that the current event has ended, and of those that it has moved. */
  private readonly ended: number[] = [];
  private readonly moved: number[] = [];
  private event: unknown = undefined;
  private time = 0;

  constructor(automaton: Automaton, user: ExecutorUser, emit: EmitMode) {
    this.automaton = automaton;
    this.user = user;
    this.emit = emit;
    this.mask = new PredicateMask(automaton.unary);
    this.within = automaton.within;
    this.asksFirst = automaton.transitions.map(
      ({ kind, firstNot, firstMust }) => kind === STRICT || firstNot.length + firstMust.length > 0,
    );
    this.starts = automaton.starts.map((id) => automaton.transitions[id]!);
    const sources: number[] = [];
    for (const { id, out } of automaton.states) for (const way of out) sources[way] = id;
    this.sources = sources;
  }

  create(): CompactOfKey {
    return new CompactOfKey();
  }

  canStart(event: unknown, time: number): boolean {
    this.mask.begin(event, time);
    for (const { take } of this.starts) if (this.mask.test(take.unary)) return true;
    return false;
  }

  accept(live: CompactOfKey, event: unknown, time: number): void {
    this.event = event;
    this.time = time;
    this.born.length = this.complete.length = this.ended.length = this.moved.length = 0;
    const seq = live.seq + 1;
    this.mask.begin(event, time);
    const { buckets } = live;
    for (let id = 0; id < buckets.length; id++) {
      const bucket = buckets[id];
      if (bucket !== undefined && (bucket.waiting !== undefined || bucket.fresh !== undefined))
        this.visit(this.automaton.transitions[id]!, bucket, seq);
    }
    if (this.ended.length > 0) this.tellDied(live);
    live.seq = seq;
    for (const transition of this.starts) if (this.begins(transition)) this.begin(live, transition);
    if (this.born.length > 0) this.settleIn(live);
    if (this.complete.length > 0) this.giveOut();
  }

  advance(live: CompactOfKey, at: number): void {
    const { within } = this;
    if (within === Infinity) return;
    const { starts } = live;
    if (live.head === starts.length || starts[live.head]! + within > at) return;
    const tells = this.user.tellsTimedOut();
    while (live.head < starts.length && starts[live.head]! + within <= at) {
      const start = starts[live.head++]!;
      if (tells) this.tellTimedOut(live, start);
    }
    if (live.head === starts.length) this.forget(live);
    else if (live.head > 64 && live.head * 2 > starts.length) {
      live.starts = starts.slice(live.head);
      live.head = 0;
    }
  }

  nextDeadline(live: CompactOfKey): number {
    if (this.within === Infinity || live.head === live.starts.length) return Infinity;
    // Where nobody is told, it is enough to look when all is over.
    const start = this.user.tellsTimedOut() ? live.starts[live.head]! : live.starts.at(-1)!;
    return start + this.within;
  }

  private begins({ take, kills, firstNot, firstMust }: Transition): boolean {
    return this.mask.test(take.unary) && !this.anyOf(kills) && !this.anyOf(firstNot) && this.allOf(firstMust);
  }

  private begin(live: CompactOfKey, transition: Transition): void {
    const { time } = this;
    this.take(transition, undefined, live.seq);
    if (this.within !== Infinity && (live.head === live.starts.length || live.starts.at(-1)! < time)) live.starts.push(time);
  }

  private visit(transition: Transition, bucket: CompactBucket, seq: number): void {
    if (bucket.fresh !== undefined) this.visitFresh(transition, bucket, bucket.fresh, seq);
    const { waiting } = bucket;
    if (waiting === undefined) return;
    if (!this.alive(waiting)) return empty(bucket);
    if (this.anyOf(transition.kills)) {
      this.ended.push(this.sources[transition.id]!);
      return empty(bucket);
    }
    if (!this.mask.test(transition.take.unary)) return;
    this.take(transition, waiting, seq);
    if (transition.kind === RELAXED) empty(bucket);
  }

  /** What came with the last event is asked what only the very next event is asked. */
  private visitFresh(transition: Transition, bucket: CompactBucket, fresh: CompactNode, seq: number): void {
    bucket.fresh = undefined;
    if (!this.alive(fresh)) return;
    const isLetOn = !this.anyOf(transition.firstNot) && this.allOf(transition.firstMust);
    if (isLetOn && transition.kind !== STRICT) this.add(bucket, fresh);
    else if (isLetOn && this.mask.test(transition.take.unary) && !this.anyOf(transition.kills)) this.take(transition, fresh, seq);
    else this.ended.push(this.sources[transition.id]!);
  }

  /** A set has died where it waits in none of its transitions any more, and has gone on in none. */
  private tellDied({ buckets }: CompactOfKey): void {
    const { ended, moved, user, automaton } = this;
    if (user.died === undefined) return;
    for (let i = 0; i < ended.length; i++) {
      const { id, step, accepts, out } = automaton.states[ended[i]!]!;
      if (accepts || moved.includes(id) || ended.indexOf(id) < i) continue;
      if (out.every((way) => buckets[way]?.waiting === undefined)) user.died(step);
    }
  }

  private alive(node: CompactNode): boolean {
    return this.time - node.max < this.within;
  }

  private anyOf(guards: readonly Guard[]): boolean {
    for (let i = 0; i < guards.length; i++) if (this.mask.test(guards[i]!.unary)) return true;
    return false;
  }

  private allOf(guards: readonly Guard[]): boolean {
    for (let i = 0; i < guards.length; i++) if (!this.mask.test(guards[i]!.unary)) return false;
    return true;
  }

  private take({ id, to }: Transition, parent: CompactNode | undefined, seq: number): void {
    const { step, accepts, out } = this.automaton.states[to]!;
    const node = new CompactNode(step, to, this.event, this.time, seq, parent, undefined);
    this.user.reached?.(step);
    if (parent !== undefined) this.moved.push(this.sources[id]!);
    if (accepts) this.complete.push(node);
    if (out.length > 0) this.born.push(node);
  }

  private settleIn({ buckets }: CompactOfKey): void {
    const { born, automaton, asksFirst } = this;
    if (born.length > 1) born.sort((a, b) => a.max - b.max);
    for (const node of born) {
      for (const id of automaton.states[node.state]!.out) {
        const bucket = (buckets[id] ??= new CompactBucket());
        if (asksFirst[id]!) bucket.fresh = union(node, bucket.fresh);
        else this.add(bucket, node);
      }
    }
  }

  private add(bucket: CompactBucket, node: CompactNode): void {
    const root = union(node, bucket.waiting)!;
    bucket.waiting = root;
    if (this.within === Infinity || ++bucket.added < bucket.limit) return;
    bucket.added = 0;
    bucket.limit = Math.max(16, 2 * cutExpired(root, this.time - this.within));
  }

  private giveOut(): void {
    const { emit, complete, time, user } = this;
    const floor = time - this.within;
    if (emit === 'exists') {
      const best = complete.reduce((a, b) => (b.max > a.max ? b : a));
      return user.match({ taken: best, next: undefined }, time);
    }
    if (emit === 'first') return this.giveOutFirst(floor);
    let left = emit === 'all' ? Infinity : emit.limit;
    for (const node of complete) {
      if (left <= 0) return;
      enumerate(node, floor, Infinity, (found) => {
        user.match(found, time);
        return --left > 0;
      });
    }
  }

  private giveOutFirst(floor: number): void {
    let best: FoundMatch | undefined;
    for (const node of this.complete) {
      enumerate(node, floor, Infinity, (found) => {
        if (best === undefined || isBetter(found, best)) best = found;
        return true;
      });
    }
    if (best !== undefined) this.user.match(best, this.time);
  }

  /** Partial matches that wait in several transitions are told once. */
  private tellTimedOut(live: CompactOfKey, start: number): void {
    const told = new Set<string>();
    for (const bucket of live.buckets) {
      if (bucket === undefined) continue;
      for (const root of [bucket.waiting, bucket.fresh]) {
        if (root === undefined) continue;
        enumerate(root, start - 1, start, (found) => {
          let key = '';
          for (let at: FoundMatch | undefined = found; at !== undefined; at = at.next) key += `${at.taken.seq}:${at.taken.step} `;
          if (!told.has(key)) this.user.timedOut(found, start + this.within);
          told.add(key);
          return true;
        });
      }
    }
  }

  private forget(live: CompactOfKey): void {
    for (const bucket of live.buckets) if (bucket !== undefined) empty(bucket);
    live.starts.length = 0;
    live.head = 0;
  }
}

function empty(bucket: CompactBucket): void {
  bucket.waiting = bucket.fresh = undefined;
  bucket.added = 0;
  bucket.limit = 16;
}

function lengthOf(found: FoundMatch): number {
  let length = 0;
  for (let at: FoundMatch | undefined = found; at !== undefined; at = at.next) length++;
  return length;
}

/** The longest, then that with the earliest events, then with the earliest steps. */
function isBetter(a: FoundMatch, b: FoundMatch): boolean {
  const longer = lengthOf(a) - lengthOf(b);
  if (longer !== 0) return longer > 0;
  return (difference(a, b, ({ seq }) => seq) || difference(a, b, ({ step }) => step)) < 0;
}

function difference(a: FoundMatch, b: FoundMatch, of: (taken: TakenEvent) => number): number {
  let left: FoundMatch | undefined = a;
  let right: FoundMatch | undefined = b;
  for (; left !== undefined && right !== undefined; left = left.next, right = right.next) {
    const apart = of(left.taken) - of(right.taken);
    if (apart !== 0) return apart;
  }
  return 0;
}

/** What a pattern has that compact sets cannot follow; undefined: nothing. */
export function obstacleToCompact({ residual, transitions, isAmbiguous }: Automaton): string | undefined {
  if (residual.length > 0) return `a condition asks what was taken before (${residual[0]!.text})`;
  if (isAmbiguous) return 'it has groups, whose matches can be found in several ways';
  if (transitions.some(({ gap }) => gap !== Infinity)) return 'it limits the time between neighbouring events';
  if (transitions.some(({ kind }) => kind !== STRICT && kind !== RELAXED && kind !== ANY)) return 'it waits for something not to happen';
  return undefined;
}
