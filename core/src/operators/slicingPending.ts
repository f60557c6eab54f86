import { NONE, type SliceRows } from './slicingRows.ts';

/** The rows of a slice, in the order in which their keys came. */
interface PendingSlice {
  readonly slice: number;
  readonly first: number;
  last: number;
}

/** The slices that no window has reached yet, and their rows. */
export class PendingSlices {
  private readonly rows: SliceRows;
  /** In the order of time. */
  private readonly slices: PendingSlice[] = [];

  constructor(rows: SliceRows) {
    this.rows = rows;
  }

  /** The earliest slice; +Infinity when there is none. */
  get earliest(): number {
    return this.slices[0]?.slice ?? Infinity;
  }

  /** Notes a row that is new. */
  add(slice: number, row: number): void {
    const { slices, rows } = this;
    rows.nextOfSlice[row] = NONE;
    const at = this.after(slice);
    const found = slices[at - 1];
    if (found?.slice === slice) {
      rows.nextOfSlice[found.last] = row;
      found.last = row;
    } else slices.splice(at, 0, { slice, first: row, last: row });
  }

  /** Takes the earliest slice away: its first row. */
  take(): number {
    return this.slices.shift()!.first;
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
