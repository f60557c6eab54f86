import { MillraceError } from '../errors/millraceError.ts';
import type { StateEntry } from '../state/backend.ts';
import type { Key } from '../state/key.ts';
import { KeyIndex } from '../state/keyIndex.ts';
import type { OperatorStateEntry } from '../state/operatorState.ts';
import type { Alignment } from '../time/assigner.ts';
import { checkElementTime } from '../time/elementTime.ts';
import { MIN_TIMESTAMP, type Timestamp } from '../time/timestamp.ts';
import { maxTimestamp, type TimeWindow } from '../time/window.ts';
import type { CodeSite } from './codeSite.ts';
import type { Operator, OperatorDefinition } from './operator.ts';
import type { OperatorContext } from './operatorContext.ts';
import { Slicing } from './slicing.ts';
import { PendingSlices } from './slicingPending.ts';
import { NONE, type RowSpan, SliceRows } from './slicingRows.ts';
import { WindowAccumulators } from './windowAccumulators.ts';
import type { WindowAggregate } from './windowAggregate.ts';
import { LAST_WORD } from './windowResult.ts';

/** Aligned event-time windows that fire once, when they end. */
export interface SlicingWindow {
  /** The assigner's name, for errors. */
  readonly name: string;
  readonly alignment: Alignment;
  readonly aggregate: WindowAggregate;
  /** False where all elements are under one key that the user knows nothing of. */
  readonly keyed: boolean;
}

/** Windows over shared slices of time: see {@link SlicingWindowOperator}. */
export function slicingWindowOperator(window: SlicingWindow): OperatorDefinition {
  return { outputs: ['late'], create: (context) => new SlicingWindowOperator(context, window) };
}

// Where an element belongs, if not to a row.
const LATE = -1;
const GAP = -2;
const REACHED = -3;

/**
 * An element is added once, to its slice, however many windows it is in; windows are put together from slices when they end. All keys
 * fire together when the watermark passes a window's end, in a loop that stops when credit is gone: there are no timers. A key is kept
 * for one window longer than it holds anything, so that keys which are busy in every window are not taken out and put in each time.
 */
export class SlicingWindowOperator implements Operator {
  readonly inputs: readonly ((value: never) => void)[] = [(value) => this.accept(value)];
  private readonly context: OperatorContext;
  private readonly name: string;
  private readonly keyed: boolean;
  private readonly slicing: Slicing;
  private readonly index = new KeyIndex();
  private readonly accumulators: WindowAccumulators;
  private readonly rows: SliceRows;
  private readonly pending: PendingSlices;
  /** The slice that elements were last added to: most of the next belong there too. Never small integers, for V8 to read them unchecked. */
  private from = Infinity;
  private to = -Infinity;
  private slice = -Infinity;
  /** The last window that is over, and the last slice that it reached. */
  private closed = -Infinity;
  private reached = -Infinity;
  /** The next window that holds anything, and when it fires; +Infinity when there is none. */
  private next = Infinity;
  private due = Infinity;
  /** The slots of the keys that hold rows in reached slices. Fired one by one: those before `cursor` have been, `kept` of them stay. */
  private readonly active: number[] = [];
  private isActive = new Uint8Array(16);
  private cursor = NONE;
  private kept = 0;
  private window: TimeWindow = { start: 0, end: 0 };
  /** The slots of the keys that hold nothing since the last window fired, and when they go if they still do. */
  private emptied: number[] = [];
  private sweepAt = Infinity;
  private passed: Timestamp = MIN_TIMESTAMP;
  private restored: Timestamp = Infinity;

  constructor(context: OperatorContext, { name, alignment, aggregate, keyed }: SlicingWindow) {
    this.context = context;
    this.name = name;
    this.keyed = keyed;
    this.slicing = new Slicing(alignment);
    this.accumulators = new WindowAccumulators(aggregate);
    this.rows = new SliceRows(this.accumulators);
    this.pending = new PendingSlices(this.rows);
  }

  inline(site: CodeSite): void {
    const self = site.bind(this, 'windows');
    const writeAdd = this.accumulators.writeTake(site);
    const row = site.evaluate(`${self}.place(${site.key}, ${site.timestamp})`);
    site.block(`if (${row} >= 0)`, () => writeAdd(row));
    site.block('else', () => site.evaluate(`${self}.misplaced(${row}, ${site.key}, ${site.value}, ${site.timestamp})`));
  }

  private accept(value: unknown): void {
    const { key, time } = this.context;
    this.accumulators.take(value);
    const row = this.place(key, time);
    if (row >= 0) this.accumulators.addTaken(row);
    else this.misplaced(row, key, value, time);
  }

  /** The row that an element is added to, or a negative number for {@link misplaced}. Called by generated code. */
  place(key: Key, time: Timestamp): number {
    if (!(time >= this.from && time < this.to)) {
      const place = this.enterSlice(time);
      if (place < 0) return place;
    }
    const slot = this.index.findOrInsert(key);
    const head = this.rows.heads[slot]!;
    return head >= 0 && this.accumulators.tag(head) === this.slice ? head : this.placeAnew(slot, this.slice);
  }

  /** Deals with an element that `place` found no row for. Called by generated code. */
  misplaced(place: number, key: Key, value: unknown, time: Timestamp): void {
    const { context } = this;
    if (place === REACHED) {
      this.accumulators.take(value);
      this.addReached(this.index.findOrInsert(key), this.slicing.sliceAt(time));
    } else if (place === LATE) {
      context.metrics.late++;
      context.outputAt('late', value, time);
    } else context.metrics.dropped++;
  }

  onWatermark(watermark: Timestamp): boolean {
    while (this.cursor !== NONE || this.due <= watermark) {
      if (this.cursor === NONE) this.beginWindow();
      if (!this.fireKeys()) return false;
      this.endWindow();
    }
    this.closeUntil(watermark);
    return true;
  }

  /** Everything of the key has fired and is gone; time starts anew for the next. */
  onKeyEnd(): void {
    this.sweep();
    this.passed = MIN_TIMESTAMP;
    this.closed = this.reached = -Infinity;
    this.forgetSlice();
  }

  *entries(): Iterable<StateEntry> {
    for (const [slot, key] of this.index.entries()) {
      for (const { slice, span, accumulators } of this.rows.read(slot)) {
        yield { state: 'slices', key, userKey: this.slicing.startOf(slice), value: { span, accumulators } };
      }
      const prefix = this.rows.readPrefix(slot);
      if (prefix !== undefined) yield { state: 'prefix', key, value: prefix };
    }
  }

  restoreEntry({ state, key, userKey, value }: StateEntry): void {
    const slot = this.index.findOrInsert(key);
    if (state === 'prefix') return this.rows.writePrefix(slot, value as Readonly<Record<string, unknown>>);
    const { span, accumulators } = value as { readonly span: RowSpan; readonly accumulators: Readonly<Record<string, unknown>> };
    const slice = this.slicing.sliceAt(userKey as Timestamp);
    if (state !== 'slices' || this.slicing.startOf(slice) !== userKey) throw otherWindows(this.name);
    // What had been reached is reached again by the next window.
    this.pending.add(slice, this.rows.write(slot, slice, span, accumulators));
    this.findNext();
  }

  /** How far windows have fired: the same for all subtasks, or the least of them. */
  *operatorEntries(): Iterable<OperatorStateEntry> {
    yield { state: 'passed', mode: 'union', items: [this.passed] };
  }

  restoreOperatorEntry({ items }: OperatorStateEntry): void {
    this.restored = Math.min(this.restored, ...(items as readonly Timestamp[]));
    this.closed = -Infinity;
    this.closeUntil(this.restored);
    this.findNext();
  }

  /** Makes the slice of a time the current one. A negative number if nothing can be added to it in the usual way. */
  private enterSlice(time: Timestamp): number {
    checkElementTime(time, this.name);
    const { slicing } = this;
    const slice = slicing.sliceAt(time);
    if (slicing.isGap(slice)) return time <= this.context.watermark ? LATE : GAP;
    if (slicing.lastWindow(slice) <= this.closed) return LATE;
    if (slice <= this.reached) return REACHED;
    this.from = slicing.startOf(slice);
    this.to = slicing.startOf(slice + 1);
    this.slice = slice;
    return 0;
  }

  private placeAnew(slot: number, slice: number): number {
    const found = this.rows.find(slot, slice);
    if (found !== NONE) return found;
    const row = this.rows.insert(slot, slice);
    this.pending.add(slice, row);
    if (this.next > this.closed + 1 && this.next > this.slicing.firstWindow(slice)) this.findNext();
    return row;
  }

  /** An element behind the watermark, in a slice that is still part of a window to come. */
  private addReached(slot: number, slice: number): void {
    this.rows.addReached(slot, slice);
    this.activate(slot);
    if (this.next > this.closed + 1) this.findNext();
  }

  private activate(slot: number): void {
    if (slot >= this.isActive.length) {
      const grown = new Uint8Array(Math.max(slot + 1, this.isActive.length * 2));
      grown.set(this.isActive);
      this.isActive = grown;
    }
    if (this.isActive[slot] === 1) return;
    this.isActive[slot] = 1;
    this.active.push(slot);
  }

  private findNext(): void {
    const { slicing, pending } = this;
    const following = this.closed + 1;
    if (this.active.length > 0) this.next = following;
    else this.next = pending.earliest === Infinity ? Infinity : Math.max(following, slicing.firstWindow(pending.earliest));
    this.due = this.next === Infinity ? Infinity : maxTimestamp(slicing.windowAt(this.next));
  }

  /** The window reaches its slices, and the keys that hold rows in them. */
  private beginWindow(): void {
    const { pending, rows, next } = this;
    this.sweep();
    this.window = this.slicing.windowAt(next);
    const last = this.slicing.lastSlice(next);
    while (pending.earliest <= last) {
      for (let row = pending.take(); row !== NONE; row = rows.nextOfSlice[row]!) this.activate(rows.slotOf[row]!);
    }
    this.cursor = 0;
    this.kept = 0;
  }

  private fireKeys(): boolean {
    const { active, context, slicing, next } = this;
    const last = slicing.lastSlice(next);
    const following = slicing.firstSlice(next + 1);
    while (this.cursor < active.length) {
      if (!context.hasCredit()) return false;
      const slot = active[this.cursor++]!;
      this.fireKey(slot, last, following);
    }
    return true;
  }

  /** One key's result. What no later window needs goes before it is passed on, so that a failure further down leaves nothing half done. */
  private fireKey(slot: number, last: number, following: number): void {
    const { rows, accumulators, context, window } = this;
    const time = maxTimestamp(window);
    const key = this.keyed ? this.index.keyOf(slot) : undefined;
    let value: unknown;
    let failure: { readonly error: unknown } | undefined;
    try {
      value = accumulators.result(this.slicing.slices === 1 ? rows.tails[slot]! : rows.windowUpTo(slot, last));
    } catch (error) {
      failure = { error };
    }
    rows.drop(slot, following);
    const tail = rows.tails[slot]!;
    if (tail !== NONE && rows.sliceOf(tail) <= last) this.active[this.kept++] = slot;
    else {
      this.isActive[slot] = 0;
      if (tail === NONE) this.emptied.push(slot);
    }
    if (failure === undefined) context.emit({ key, window, value, pane: LAST_WORD }, time);
    else context.reject(failure.error, { key, window }, time);
  }

  private endWindow(): void {
    this.active.length = this.kept;
    this.cursor = NONE;
    this.closed = this.next;
    this.reached = this.slicing.lastSlice(this.closed);
    if (this.emptied.length > 0) this.sweepAt = maxTimestamp(this.slicing.windowAt(this.closed + 1));
    this.findNext();
  }

  private closeUntil(watermark: Timestamp): void {
    this.passed = watermark;
    this.closed = Math.max(this.closed, this.slicing.closedAt(watermark));
    this.reached = this.slicing.lastSlice(this.closed);
    if (this.slice <= this.reached) this.forgetSlice();
    if (this.sweepAt <= watermark) this.sweep();
  }

  private forgetSlice(): void {
    this.from = Infinity;
    this.to = -Infinity;
  }

  /** Lets the keys go that have held nothing for a whole window. */
  private sweep(): void {
    const { emptied, index, rows } = this;
    this.emptied = [];
    this.sweepAt = Infinity;
    for (let i = 0; i < emptied.length; i++) if (rows.tails[emptied[i]!] === NONE) index.delete(emptied[i]!);
  }
}

function otherWindows(name: string): MillraceError {
  return new MillraceError('state/restore', `The snapshot holds windows of another kind than ${name}.`, {
    remedy: 'Give windows that change a new uid: their state cannot be carried over.',
  });
}
