/** Slots of keys: a list that is filled and emptied over and over. */
export class SlotList {
  slots: Int32Array = new Int32Array(16);
  length = 0;

  push(slot: number): void {
    if (this.length === this.slots.length) {
      const slots = new Int32Array(this.length * 2);
      slots.set(this.slots);
      this.slots = slots;
    }
    this.slots[this.length++] = slot;
  }
}

interface PendingSlice {
  readonly slice: number;
  readonly keys: SlotList;
}

/** The slices that no window has reached yet, and the keys that hold rows in them, in the order in which they came. */
export class PendingSlices {
  /** In the order of time. */
  private readonly slices: PendingSlice[] = [];
  /** The slice that a row was added to last: most of the next are added to it too. */
  private last: PendingSlice | undefined;
  private readonly spare: SlotList[] = [];

  /** The earliest slice; +Infinity when there is none. */
  get earliest(): number {
    return this.slices[0]?.slice ?? Infinity;
  }

  /** Notes that a key holds a row in a slice that it had none in. */
  add(slice: number, slot: number): void {
    if (this.last?.slice !== slice) this.last = this.at(slice);
    this.last.keys.push(slot);
  }

  /** Takes the earliest slice away: its keys. */
  take(): SlotList {
    const taken = this.slices.shift()!;
    if (taken === this.last) this.last = undefined;
    return taken.keys;
  }

  /** Gives back a list that was taken and is not needed any more. */
  recycle(keys: SlotList): void {
    keys.length = 0;
    this.spare.push(keys);
  }

  private at(slice: number): PendingSlice {
    const { slices } = this;
    const at = this.after(slice);
    const found = slices[at - 1];
    if (found?.slice === slice) return found;
    const fresh = { slice, keys: this.spare.pop() ?? new SlotList() };
    slices.splice(at, 0, fresh);
    return fresh;
  }

  /** How many slices are not later than this one. Most rows are new in the latest. */
  private after(slice: number): number {
    const { slices } = this;
    let low = 0;
    let high = slices.length;
    if (high === 0 || slices[high - 1]!.slice <= slice) return high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (slices[middle]!.slice <= slice) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
