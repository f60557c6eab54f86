import { MillraceError } from '../errors/millraceError.ts';
import type { StateEntry } from '../state/backend.ts';
import type { Key } from '../state/key.ts';
import type { KeyedTable } from '../state/keyedTable.ts';
import type { OperatorStateEntry } from '../state/operatorState.ts';
import type { EntrySink } from '../state/recordSink.ts';
import type { StoredState } from '../state/storedState.ts';
import type { Alignment } from '../time/assigner.ts';
import { checkElementTime } from '../time/elementTime.ts';
import { MIN_TIMESTAMP, type Timestamp } from '../time/timestamp.ts';
import { maxTimestamp, type TimeWindow } from '../time/window.ts';
import type { CodeSite } from './codeSite.ts';
import type { Operator, OperatorDefinition } from './operator.ts';
import type { OperatorContext } from './operatorContext.ts';
import { Slicing } from './slicing.ts';
import { SlicingKeys } from './slicingKeys.ts';
import { PendingSlices, SlotList } from './slicingPending.ts';
import { NONE, type RowSpan, SliceRows, tagOfSlice } from './slicingRows.ts';
import { VACANT, WindowAccumulators } from './windowAccumulators.ts';
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
export class SlicingWindowOperator implements Operator, StoredState {
  readonly name = '(slices)';
  readonly inputs: readonly ((value: never) => void)[] = [(value) => this.accept(value)];
  private readonly context: OperatorContext;
  private readonly assigner: string;
  private readonly keyed: boolean;
  private readonly slicing: Slicing;
  private readonly table: KeyedTable;
  private readonly accumulators: WindowAccumulators;
  private readonly rows: SliceRows;
  private readonly pending = new PendingSlices();
  /** The slice that elements were last added to: most of the next belong there too. Never small integers, for V8 to read them unchecked. */
  private from = Infinity;
  private to = -Infinity;
  private slice = -Infinity;
  /** The tag of its rows. */
  private tag = -Infinity;
  /** The last window that is over, and the last slice that it reached. */
  private closed = -Infinity;
  private reached = -Infinity;
  /** The next window that holds anything, and when it fires; +Infinity when there is none. */
  private next = Infinity;
  private due = Infinity;
  /** The keys that the next window may hold. Fired one by one: those before `cursor` have been, `kept` of them stay. */
  private active = new SlotList();
  /** By slot: whether the key is among `active`, where windows overlap. */
  private isActive = new Uint8Array(16);
  private cursor = NONE;
  private kept = 0;
  private window: TimeWindow = { start: 0, end: 0 };
  private readonly keys: SlicingKeys;
  /** When keys go that hold nothing since the last window fired. */
  private sweepAt = Infinity;
  private passed: Timestamp = MIN_TIMESTAMP;
  private restored: Timestamp = Infinity;

  constructor(context: OperatorContext, { name, alignment, aggregate, keyed }: SlicingWindow) {
    this.context = context;
    this.assigner = name;
    this.keyed = keyed;
    this.slicing = new Slicing(alignment);
    this.accumulators = new WindowAccumulators(aggregate);
    this.rows = new SliceRows(this.accumulators);
    this.table = context.subtask.backend.adopt(this);
    this.table.attach(this.accumulators);
    this.table.attach(this.rows);
    this.keys = new SlicingKeys(this.table);
  }

  /** The usual case, written out: the element's slice is the current one, and the row of its key's slot is of that slice. */
  inline(site: CodeSite): void {
    const self = site.bind(this, 'windows');
    const add = this.accumulators.writeTake(site);
    const time = site.timestamp;
    site.statement('let row;');
    site.block('find:', () => {
      site.block(`if (${time} >= ${self}.from && ${time} < ${self}.to)`, () => {
        site.statement(`row = ${site.evaluate(`${site.bind(this.table, 'table')}.slotOf(${site.key})`)};`);
        site.block(`if (${this.accumulators.slotCode(site, 'row', `${self}.tag`)})`, () => {
          add.toSlot('row');
          site.statement('break find;');
        });
        site.statement(`row = ${site.evaluate(`${self}.placeAnew(row)`)};`);
      });
      site.block('else', () => site.statement(`row = ${site.evaluate(`${self}.place(${site.key}, ${time})`)};`));
      site.block('if (row >= 0)', () => add.toRow('row'));
      site.block('else', () => site.evaluate(`${self}.misplaced(row, ${site.key}, ${site.value}, ${time})`));
    });
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
    const slot = this.table.slotOf(key);
    return this.placeAnew(slot);
  }

  /** Deals with an element that `place` found no row for. Called by generated code. */
  misplaced(place: number, key: Key, value: unknown, time: Timestamp): void {
    const { context } = this;
    if (place === REACHED) {
      this.accumulators.take(value);
      this.addReached(this.table.slotOf(key), this.slicing.sliceAt(time));
    } else if (place === LATE) context.outputLate('late', value, time);
    else context.metrics.dropped++;
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
    this.keys.sweep(this.rows.tails);
    this.passed = MIN_TIMESTAMP;
    this.closed = this.reached = -Infinity;
    this.forgetSlice();
  }

  writeEntries(slot: number, sink: EntrySink): void {
    for (const { slice, span, accumulators } of this.rows.read(slot))
      sink.entry(this.name, this.slicing.startOf(slice), { span, accumulators }, undefined);
    const prefix = this.rows.readPrefix(slot);
    if (prefix !== undefined) sink.entry(this.name, 'prefix', prefix, undefined);
  }

  restore({ userKey, value }: StateEntry): void {
    const slot = this.table.claim();
    if (userKey === 'prefix') return this.rows.writePrefix(slot, value as Readonly<Record<string, unknown>>);
    const { span, accumulators } = value as { readonly span: RowSpan; readonly accumulators: Readonly<Record<string, unknown>> };
    const slice = this.slicing.sliceAt(userKey as Timestamp);
    if (this.slicing.startOf(slice) !== userKey) throw otherWindows(this.assigner);
    this.keys.retain(slot);
    this.rows.write(slot, slice, span, accumulators);
    // What had been reached is reached again by the next window.
    this.pending.add(slice, slot);
    this.findNext();
  }

  clear(): void {
    const slot = this.table.find();
    if (slot < 0 || this.rows.tails[slot] === NONE) return;
    this.table.touch(slot);
    this.rows.reset(slot);
    this.keys.empty(slot);
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
    checkElementTime(time, this.assigner);
    const { slicing } = this;
    const slice = slicing.sliceAt(time);
    if (slicing.isGap(slice)) return time <= this.context.watermark ? LATE : GAP;
    if (slicing.lastWindow(slice) <= this.closed) return LATE;
    if (slice <= this.reached) return REACHED;
    this.from = slicing.startOf(slice);
    this.to = slicing.startOf(slice + 1);
    this.slice = slice;
    this.tag = tagOfSlice(slice);
    return 0;
  }

  /** The row of the current slice, where it is not that of the slot. Called by generated code. */
  placeAnew(slot: number): number {
    const { slice, rows } = this;
    const tag = this.accumulators.tag(slot);
    if (tag === this.tag) return slot;
    let row = slot;
    if (tag === VACANT) {
      rows.begin(slot, slice);
      this.keys.retain(slot);
    } else {
      row = rows.find(slot, slice);
      if (row !== NONE) return row;
      row = rows.insert(slot, slice);
    }
    this.pending.add(slice, slot);
    if (this.next > this.closed + 1 && this.next > this.slicing.firstWindow(slice)) this.findNext();
    return row;
  }

  /** An element behind the watermark, in a slice that is still part of a window to come. */
  private addReached(slot: number, slice: number): void {
    this.rows.addReached(slot, slice);
    this.keys.retain(slot);
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

  /** The window reaches its slices, and the keys that hold rows in them. Where windows do not overlap, these are all of its keys. */
  private beginWindow(): void {
    const { pending, slicing, next } = this;
    this.sweep();
    this.window = slicing.windowAt(next);
    this.cursor = 0;
    this.kept = 0;
    if (slicing.slices === 1) {
      this.active = pending.take();
      return;
    }
    const last = slicing.lastSlice(next);
    while (pending.earliest <= last) {
      const keys = pending.take();
      for (let i = 0; i < keys.length; i++) this.activate(keys.slots[i]!);
      pending.recycle(keys);
    }
  }

  private fireKeys(): boolean {
    const { active, context, slicing, next } = this;
    const time = maxTimestamp(this.window);
    const last = slicing.lastSlice(next);
    const following = slicing.slices === 1 ? NONE : slicing.firstSlice(next + 1);
    while (this.cursor < active.length) {
      if (!context.hasCredit()) return false;
      const slot = active.slots[this.cursor++]!;
      if (slicing.slices === 1) this.fireAlone(slot, time);
      else this.fireShared(slot, time, last, following);
    }
    return true;
  }

  /** The result of a key's window that is one slice. */
  private fireAlone(slot: number, time: Timestamp): void {
    const { rows, table } = this;
    table.touch(slot);
    let value: unknown;
    let failure: Failure | undefined;
    try {
      value = this.accumulators.result(rows.tails[slot]!);
    } catch (error) {
      failure = { error };
    }
    rows.dropOldest(slot);
    if (rows.tails[slot] === NONE) this.keys.empty(slot);
    this.emit(slot, value, time, failure);
  }

  /** The result of a key's window that shares its slices with others. What no later one needs goes. */
  private fireShared(slot: number, time: Timestamp, last: number, following: number): void {
    const { rows, table } = this;
    table.touch(slot);
    let value: unknown;
    let failure: Failure | undefined;
    try {
      value = this.accumulators.result(rows.windowUpTo(slot, last));
    } catch (error) {
      failure = { error };
    }
    rows.drop(slot, following);
    const tail = rows.tails[slot]!;
    if (tail !== NONE && rows.sliceOf(tail) <= last) this.active.slots[this.kept++] = slot;
    else {
      this.isActive[slot] = 0;
      if (tail === NONE) this.keys.empty(slot);
    }
    this.emit(slot, value, time, failure);
  }

  /** Last, so that a failure further down leaves nothing half done. A key that has emptied keeps its slot for the time being. */
  private emit(slot: number, value: unknown, time: Timestamp, failure: Failure | undefined): void {
    const { context, window } = this;
    const key = this.keyed ? this.table.index.keyOf(slot) : undefined;
    if (failure === undefined) context.emit({ key, window, value, pane: LAST_WORD }, time);
    else context.reject(failure.error, { key, window }, time);
  }

  private endWindow(): void {
    const { slicing, pending } = this;
    this.active.length = this.kept;
    if (slicing.slices === 1) {
      pending.recycle(this.active);
      this.active = NOBODY;
    }
    this.cursor = NONE;
    this.closed = this.next;
    this.reached = slicing.lastSlice(this.closed);
    if (this.keys.isWaiting) this.sweepAt = maxTimestamp(slicing.windowAt(this.closed + 1));
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

  private sweep(): void {
    this.sweepAt = Infinity;
    this.keys.sweep(this.rows.tails);
  }
}

interface Failure {
  readonly error: unknown;
}

/** The keys of no window. */
const NOBODY = new SlotList();

function otherWindows(name: string): MillraceError {
  return new MillraceError('state/incompatible', `The snapshot holds windows of another kind than ${name}.`, {
    remedy: 'Give windows that change a new uid: their state cannot be carried over.',
  });
}
