import type { Column } from '../state/column.ts';
import type { KeyedTable } from '../state/keyedTable.ts';
import { SlotList } from './slicingPending.ts';
import { NONE } from './slicingRows.ts';

/**
 * The slots of the keys that hold rows. A key keeps its slot for one round longer than it holds anything, so that keys which are busy in
 * every window are not taken out and put in each time.
 */
export class SlicingKeys implements Column {
  private readonly table: KeyedTable;
  /** By slot: whether it is retained. */
  private retained: Uint8Array = new Uint8Array(0);
  /** Slots that have come to hold nothing in this round, and in the one before. */
  private emptied = new SlotList();
  private before = new SlotList();

  constructor(table: KeyedTable) {
    this.table = table;
    table.attach(this);
  }

  reserve(slots: number): void {
    if (slots <= this.retained.length) return;
    const retained = new Uint8Array(Math.max(slots, this.retained.length * 2));
    retained.set(this.retained);
    this.retained = retained;
  }

  reset(slot: number): void {
    this.retained[slot] = 0;
  }

  /** A key holds rows. */
  retain(slot: number): void {
    if (this.retained[slot] === 1) return;
    this.retained[slot] = 1;
    this.table.retain(slot);
  }

  /** A key holds no rows any more. */
  empty(slot: number): void {
    this.emptied.push(slot);
  }

  /** Whether there are slots that go when nothing comes to be held for them. */
  get isWaiting(): boolean {
    return this.emptied.length > 0;
  }

  /** A round is over. The slots that came to hold nothing in it go, unless they hold something again: a row in `tails`. */
  sweep(tails: Int32Array): void {
    const { emptied, retained, table } = this;
    this.emptied = this.before;
    this.before = emptied;
    for (let i = 0; i < emptied.length; i++) {
      const slot = emptied.slots[i]!;
      if (tails[slot] !== NONE || retained[slot] === 0) continue;
      retained[slot] = 0;
      table.release(slot);
    }
    emptied.length = 0;
  }
}
