import type { Link } from './link.ts';
import { MAX_TIMESTAMP, MIN_TIMESTAMP, NO_TIMESTAMP, type Timestamp } from '../time/timestamp.ts';
import type { Control } from './control.ts';
import { createDriver } from './driver.ts';
import { isPlaced, operatorFailure } from './failure.ts';
import type { Driver } from './link.ts';
import { type LinkSnapshot, restoreLink, snapshotLink, snapshotPlain } from './linkSnapshot.ts';

/** The state of a chain: that of each of its operators, and how far time has come there. */
export interface ChainSnapshot {
  readonly links: readonly (LinkSnapshot & LinkTime)[];
}

/** How far time and the end of input have come at an operator. */
export interface LinkTime {
  readonly watermark: Timestamp;
  /** Its input has ended and it has said its last word, which it is not to say again. */
  readonly ended?: boolean;
}

/** How far time and the end of input have come at one link of a chain. */
interface Progress {
  /** The watermark that has arrived, and the one that has been dealt with and passed on. */
  arrived: Timestamp;
  passed: Timestamp;
  /** The watermark that the operator itself has been told of, to the end. */
  told: Timestamp;
  /** `ending`: the end has arrived; `ended`: `onEnd` has said its last word; `closed`: it was passed on. */
  phase: 'open' | 'ending' | 'ended' | 'closed';
  /** `onEnd` has said its last word, maybe before a restore. */
  saidAll: boolean;
}

/**
 * The operators of one task. Records run through the driver; time and the end of input come in steps that can stop between any two
 * calls when credit is gone and go on in order later: {@link settle}.
 */
export class Chain {
  readonly links: readonly Link[];
  private generated: Driver | undefined;
  private readonly generate: boolean | undefined;
  private readonly control: Control;
  private readonly progress: Progress[];
  private readonly children: readonly (readonly number[])[];
  private readonly onWatermark: (link: number, watermark: Timestamp) => void;
  private unsettled = false;

  /** `onWatermark` is told when a watermark has passed a link. */
  constructor(links: readonly Link[], control: Control, onWatermark: (link: number, watermark: Timestamp) => void, generate?: boolean) {
    this.links = links;
    this.control = control;
    this.onWatermark = onWatermark;
    this.generate = generate;
    this.progress = links.map(() => ({
      arrived: MIN_TIMESTAMP,
      passed: MIN_TIMESTAMP,
      told: MIN_TIMESTAMP,
      phase: 'open',
      saidAll: false,
    }));
    links.forEach((link, i) => (link.context.advance = (watermark) => this.advanceAfter(i, watermark)));
    this.children = links.map((link) => childrenOf(link));
  }

  /** Makes the driver. Operators must be open: what they write into it may depend on what they opened. */
  connect(): void {
    this.generated = createDriver(this.links, this.control, this.generate);
  }

  /** Whether anything can run through it yet. */
  get isConnected(): boolean {
    return this.generated !== undefined;
  }

  get driver(): Driver {
    return this.generated!;
  }

  /** The watermark that the whole chain has seen. */
  get watermark(): Timestamp {
    return this.progress.reduce((least, { passed }) => Math.min(least, passed), MAX_TIMESTAMP);
  }

  get settled(): boolean {
    return !this.unsettled;
  }

  /** Asks operators to get ready for a barrier, behind which nothing comes if it is the last; a promise when one of them needs time. */
  prepareBarrier(checkpoint: number, isLast: boolean): Promise<void> | undefined {
    const waits: Promise<void>[] = [];
    for (const link of this.links) {
      try {
        const wait = link.operator.prepareBarrier?.(checkpoint, isLast);
        if (wait !== undefined) waits.push(placed(wait, link));
      } catch (error) {
        throw operatorFailure(error, link.uid);
      }
    }
    return waits.length === 0 ? undefined : Promise.all(waits).then(() => undefined);
  }

  async completeCheckpoint(checkpoint: number): Promise<void> {
    for (const link of this.links) await placed((async () => link.operator.onCheckpointComplete?.(checkpoint))(), link);
  }

  abortCheckpoint(checkpoint: number): void {
    for (const { operator } of this.links) operator.onCheckpointAborted?.(checkpoint);
  }

  /** What each operator holds beside keyed state, and how far time has come there. */
  snapshotPlain(): readonly (ReturnType<typeof snapshotPlain> & LinkTime & { readonly link: Link })[] {
    return this.links.map((link, i) => ({ link, ...this.timeOf(i), ...snapshotPlain(link) }));
  }

  snapshot(): ChainSnapshot {
    return { links: this.links.map((link, i) => ({ ...snapshotLink(link), ...this.timeOf(i) })) };
  }

  restore({ links }: ChainSnapshot): void {
    for (const snapshot of links) {
      const i = this.links.findIndex(({ uid }) => uid === snapshot.uid);
      const link = this.links[i];
      if (link === undefined) continue;
      restoreLink(link, snapshot);
      this.progress[i]!.arrived = this.progress[i]!.passed = link.context.watermark = snapshot.watermark;
      this.progress[i]!.saidAll = snapshot.ended === true;
    }
  }

  /** A watermark arrives at the head. */
  advance(watermark: Timestamp): void {
    this.arrive(0, watermark);
  }

  /** All inputs have ended: results, then the last watermark, link by link. */
  end(): void {
    this.progress[0]!.phase = 'ending';
    this.unsettled = true;
  }

  /** One of several inputs of the head has ended. False when it wants to be called again. */
  endInput(input: number): boolean {
    const head = this.links[0]!;
    try {
      return head.operator.onEnd?.(input) !== false;
    } catch (error) {
      return this.absorb(head, error);
    }
  }

  /** Does what watermarks and the end of input ask for. False when credit ran out: call again later. */
  settle(): boolean {
    if (!this.unsettled) return true;
    for (let i = 0; i < this.links.length; i++) if (!this.settleLink(i)) return false;
    this.unsettled = false;
    this.control.resume();
    return true;
  }

  /** Fires processing-time timers that are due. False when credit ran out. */
  fireProcessingTimers(now: Timestamp): boolean {
    for (const link of this.links) if (!this.fireTimers(link, 'processingTime', now)) return false;
    return true;
  }

  /** The earliest processing-time timer; +Infinity when there is none. */
  earliestProcessingTimer(): Timestamp {
    return this.links.reduce((least, { context }) => Math.min(least, context.subtask.keyedTimers.earliest('processingTime')), Infinity);
  }

  /** A run of records is over. */
  pause(): void {
    for (const link of this.links) {
      try {
        link.operator.onPause?.();
      } catch (error) {
        this.absorb(link, error);
      }
    }
  }

  /** Batch mode, keyed input in order: moves the head's clock alone, to `watermark`, for the current key. */
  advanceKey(watermark: Timestamp): boolean {
    const head = this.links[0]!;
    head.context.watermark = watermark;
    // Called again, the operator finds nothing left to do.
    return (
      this.fireTimers(head, 'eventTime', watermark) &&
      this.callOnWatermark(head, watermark) &&
      this.fireTimers(head, 'eventTime', watermark)
    );
  }

  /** Batch mode: the current key's last element was delivered. Its time goes to its end, its state is dropped, time starts anew. */
  endKey(): boolean {
    const head = this.links[0]!;
    if (!this.advanceKey(MAX_TIMESTAMP) || !this.fireTimers(head, 'processingTime', MAX_TIMESTAMP)) return false;
    const { backend } = head.context.subtask;
    try {
      head.operator.onKeyEnd?.();
    } catch (error) {
      this.absorb(head, error);
    }
    backend.clear();
    head.context.watermark = MIN_TIMESTAMP;
    return true;
  }

  private timeOf(index: number): LinkTime {
    const { passed, saidAll } = this.progress[index]!;
    return { watermark: passed, ended: saidAll };
  }

  private arrive(index: number, watermark: Timestamp): void {
    const progress = this.progress[index]!;
    if (watermark <= progress.arrived) return;
    progress.arrived = watermark;
    this.unsettled = true;
  }

  /** A watermark that link `index` itself gives out, in place of those that come in. */
  private advanceAfter(index: number, watermark: Timestamp): void {
    for (const child of this.children[index]!) this.arrive(child, watermark);
    this.onWatermark(index, watermark);
    this.control.pause();
    this.links[index]!.context.wake();
  }

  private settleLink(index: number): boolean {
    const progress = this.progress[index]!;
    const link = this.links[index]!;
    if (progress.phase === 'ending' && !this.finishInput(link, progress)) return false;
    if (progress.arrived > progress.passed) {
      link.context.watermark = progress.arrived;
      if (!this.tell(link, progress)) return false;
    } else if (progress.phase !== 'ended') return !this.control.blocked;
    progress.passed = progress.arrived;
    this.passOn(index, progress);
    return true;
  }

  /** Fires the timers that are due, tells the operator of the watermark, and fires those that it then set and that are due as well. */
  private tell(link: Link, progress: Progress): boolean {
    const { arrived } = progress;
    if (!this.fireTimers(link, 'eventTime', arrived)) return false;
    if (progress.told === arrived) return true;
    if (!this.callOnWatermark(link, arrived)) return false;
    progress.told = arrived;
    return this.fireTimers(link, 'eventTime', arrived);
  }

  /** Order at the end: the last results, then processing-time timers that will not come any more, then time itself. */
  private finishInput(link: Link, progress: Progress): boolean {
    try {
      if (!progress.saidAll && link.operator.onEnd?.(0) === false) return false;
    } catch (error) {
      this.absorb(link, error);
    }
    progress.saidAll = true;
    if (!this.fireTimers(link, 'processingTime', MAX_TIMESTAMP)) return false;
    progress.phase = 'ended';
    progress.arrived = MAX_TIMESTAMP;
    return true;
  }

  private passOn(index: number, progress: Progress): void {
    const ended = progress.phase === 'ended';
    if (ended) progress.phase = 'closed';
    for (const child of this.children[index]!) {
      if (ended) this.progress[child]!.phase = 'ending';
      else if (!this.links[index]!.operator.ownsTime) this.arrive(child, progress.passed);
    }
    if (ended || !this.links[index]!.operator.ownsTime) this.onWatermark(index, progress.passed);
  }

  private callOnWatermark(link: Link, watermark: Timestamp): boolean {
    try {
      return link.operator.onWatermark?.(watermark) !== false;
    } catch (error) {
      return this.absorb(link, error);
    }
  }

  private fireTimers(link: Link, domain: 'eventTime' | 'processingTime', until: Timestamp): boolean {
    const { context, operator } = link;
    const timers = context.subtask.keyedTimers;
    while (timers.earliest(domain) <= until) {
      if (this.control.blocked) return false;
      timers.popDue(domain, until);
      context.time = domain === 'eventTime' ? timers.dueTime : NO_TIMESTAMP;
      try {
        operator.onTimer?.();
      } catch (error) {
        this.absorb(link, error, { timer: timers.dueName, key: context.key });
      }
    }
    return true;
  }

  /** Deals with what an operator threw outside of a record's journey, under its error policy. */
  private absorb(link: Link, error: unknown, subject?: unknown): true {
    if (link.policy === 'fail' || isPlaced(error)) throw operatorFailure(error, link.uid);
    link.reject(error, subject, link.context.time);
    return true;
  }
}

async function placed(work: Promise<void>, link: Link): Promise<void> {
  try {
    await work;
  } catch (error) {
    throw operatorFailure(error, link.uid);
  }
}

function childrenOf(link: Link): number[] {
  const targets = [link.targets, ...link.sides.values()].flat();
  return [...new Set(targets.flatMap((target) => (target.kind === 'link' ? [target.link] : [])))];
}
