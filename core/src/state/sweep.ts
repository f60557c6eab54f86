import type { KeyedTable } from './keyedTable.ts';

/** How many other slots a write looks at to clean up what has expired. */
const STEPS = 4;

/** Cleans up what has expired by and by: each write looks at a few other keys, so that a key nobody asks for is freed all the same. */
export class Sweep {
  private readonly table: KeyedTable;
  private readonly expire: (slot: number) => void;
  private at = 0;

  /** `expire` frees what has expired in a slot in use; it may free the slot. */
  constructor(table: KeyedTable, expire: (slot: number) => void) {
    this.table = table;
    this.expire = expire;
  }

  step(): void {
    const { index } = this.table;
    for (let step = 0; step < STEPS; step++) {
      if (this.at >= index.slots) this.at = 0;
      const slot = this.at++;
      if (index.keyOf(slot) !== undefined) this.expire(slot);
    }
  }
}
