import type { Aggregate } from '../state/aggregate.ts';
import type { Cells } from '../state/cells.ts';
import type { Column } from '../state/column.ts';
import type { PackedAggregate } from '../state/packed.ts';
import { property } from './aggregateCode.ts';
import type { CodeSite } from './codeSite.ts';
import type { WindowAggregate } from './windowAggregate.ts';

/** Rows of the pool have this bit; the others are the rows of the slots of keys. */
const POOL = 1 << 30;
const FIRST_CAPACITY = 16;
/**
 * About how large a page is. Generated code adds to the rows of the slots' first page without looking a page up; memory that is not
 * touched is not taken.
 */
const PAGE_BYTES = 512 * 1024;
/** The tag of a row that holds nothing: what fresh memory holds. */
export const VACANT = 0;

/** A field of the aggregate: numbers of a row from `at` on, or a cell of a column. */
interface Field {
  readonly name: string;
  readonly aggregate: Aggregate<never, unknown>;
  readonly packed: PackedAggregate | undefined;
  readonly at: number;
  readonly ofSlots: Cells;
  readonly ofPool: Cells;
}

/**
 * The accumulators of panes, a row for each, no object where the aggregates need none. The numbers of a row stand side by side: rows are
 * touched in no order, and this way one piece of memory is fetched for each. Every slot of a key can have a row of its own, found without
 * looking anything up; all further rows come from a pool. An owner can leave a number in a row, the tag.
 */
export class WindowAccumulators implements Column {
  /** How many rows the pool has room for. What an owner keeps by row grows with it. */
  capacity = 0;
  /** The numbers of a row: the first is the tag. */
  readonly stride: number;
  // Plain versions; a generated driver replaces them by straight lines of monomorphic calls.
  /** Makes a row's accumulators empty. */
  clear: (row: number) => void;
  /** Adds an element to a row: the inputs of its fields. */
  add: (row: number, ...inputs: unknown[]) => void;
  /** Folds a row into another. */
  merge: (into: number, from: number) => void;
  /** A row's result. */
  result: (row: number) => unknown;
  private readonly slotPages: Float64Array[] = [];
  private readonly poolPages: Float64Array[] = [];
  /** Rows per page: a power of two, and its logarithm. */
  private readonly pageRows: number;
  private readonly pageBits: number;
  private readonly aggregate: WindowAggregate;
  private readonly fields: readonly Field[];
  private readonly objects: readonly Field[];
  private readonly taken: unknown[];
  private readonly free: number[] = [];
  private used = 0;
  private slots = 0;

  constructor(aggregate: WindowAggregate) {
    const fields: Field[] = [];
    let stride = 1;
    for (const [name, each] of Object.entries(aggregate.shape)) {
      const ofSlots = each.cells();
      const { packed } = ofSlots;
      fields.push({ name, aggregate: each, packed, at: stride, ofSlots, ofPool: each.cells() });
      stride += packed?.width ?? 0;
    }
    this.aggregate = aggregate;
    this.fields = fields;
    this.stride = stride;
    this.pageBits = Math.floor(Math.log2(PAGE_BYTES / (8 * stride)));
    this.pageRows = 1 << this.pageBits;
    this.objects = fields.filter(({ packed }) => packed === undefined);
    this.taken = fields.map(() => undefined);
    this.clear = (row) => this.clearFields(row);
    this.add = (row, ...inputs) => this.addInputs(row, inputs);
    this.merge = (into, from) => this.mergeFields(into, from);
    this.result = (row) => this.resultOfFields(row);
  }

  /** Makes room for the rows of slots. They are vacant. */
  reserve(slots: number): void {
    if (slots <= this.slots) return;
    for (; this.slots < slots; this.slots += this.pageRows) this.slotPages.push(new Float64Array(this.pageRows * this.stride));
    for (const { ofSlots } of this.objects) ofSlots.reserve(this.slots);
  }

  /** Makes a slot's row vacant. */
  reset(slot: number): void {
    this.setTag(slot, VACANT);
    for (let i = 0; i < this.objects.length; i++) this.objects[i]!.ofSlots.write(slot, undefined);
  }

  /** An empty row of the pool. `capacity` may have grown. */
  allocate(): number {
    const at = this.free.pop() ?? this.used++;
    if (at === this.capacity) this.growPool();
    this.clear(at | POOL);
    return at | POOL;
  }

  /** Gives up a row, of a slot or of the pool. */
  release(row: number): void {
    if (row < POOL) return this.reset(row);
    for (let i = 0; i < this.objects.length; i++) this.objects[i]!.ofPool.write(indexOf(row), undefined);
    this.free.push(indexOf(row));
  }

  /** Gives the row of a slot, with its tag, a place in the pool. The slot's row is vacant then. */
  move(slot: number): number {
    const row = this.allocate();
    const start = this.startOf(slot);
    const page = this.pageOf(slot);
    const target = this.pageOf(row);
    const targetStart = this.startOf(row);
    for (let i = 0; i < this.stride; i++) target[targetStart + i] = page[start + i]!;
    for (const { ofSlots, ofPool } of this.objects) ofPool.write(indexOf(row), ofSlots.read(slot));
    this.reset(slot);
    return row;
  }

  tag(row: number): number {
    return this.pageOf(row)[this.startOf(row)]!;
  }

  setTag(row: number, tag: number): void {
    this.pageOf(row)[this.startOf(row)] = tag;
  }

  /** What user functions take of an element, for {@link addTaken}: before its row is looked up, so that one that throws leaves nothing behind. */
  take(value: unknown): void {
    const { fields, taken } = this;
    for (let i = 0; i < fields.length; i++) {
      const { of } = fields[i]!.aggregate;
      taken[i] = of === undefined ? value : of(value as never);
    }
  }

  /** Adds the element that was taken last. */
  addTaken(row: number): void {
    this.addInputs(row, this.taken);
  }

  private addInputs(row: number, inputs: readonly unknown[]): void {
    const { fields } = this;
    const page = this.pageOf(row);
    const start = this.startOf(row);
    for (let i = 0; i < fields.length; i++) {
      const field = fields[i]!;
      if (field.packed === undefined) cellsOf(field, row).add(indexOf(row), inputs[i]);
      else field.packed.add(page, start + field.at, inputs[i] as number);
    }
  }

  /** A row as plain data. */
  read(row: number): Record<string, unknown> {
    const accumulators: Record<string, unknown> = {};
    const page = this.pageOf(row);
    const start = this.startOf(row);
    for (const field of this.fields) {
      const { name, packed, at } = field;
      accumulators[name] = packed === undefined ? cellsOf(field, row).read(indexOf(row)) : packed.read(page, start + at);
    }
    return accumulators;
  }

  /** Fills an empty row from plain data. A field that the shape gained stays empty; one that it lost is left out. */
  write(row: number, accumulators: Readonly<Record<string, unknown>>): void {
    const page = this.pageOf(row);
    const start = this.startOf(row);
    for (const field of this.fields) {
      const { name, packed, at } = field;
      if (!Object.hasOwn(accumulators, name)) continue;
      if (packed === undefined) cellsOf(field, row).write(indexOf(row), accumulators[name]);
      else packed.write(page, start + at, accumulators[name]);
    }
  }

  /**
   * Writes `take` into a driver. Gives what writes `addTaken`: for the row of a slot on the first page, written out, and for any row.
   * What it adds to is where time is spent: there the memory is a constant of the code.
   */
  writeTake(site: CodeSite): { readonly toSlot: (slot: string) => void; readonly toRow: (row: string) => void } {
    const inputs = this.fields.map(({ aggregate: { of }, name }) =>
      of === undefined ? site.value : site.evaluate(`${site.bind(of, `of_${name}`)}(${site.value})`),
    );
    this.writeFunctions(site);
    const self = site.bind(this, 'accumulators');
    return {
      toSlot: (slot) => this.fields.forEach((field, i) => this.writeAdd(site, field, slot, inputs[i]!)),
      toRow: (row) => void site.evaluate(`${self}.add(${[row, ...inputs].join(', ')})`),
    };
  }

  /** Whether the row of a slot is on the first page and has a tag, as a driver's text. */
  slotCode(site: CodeSite, slot: string, tag: string): string {
    return `${slot} < ${this.pageRows} && ${this.firstCode(site)}[${slot} * ${this.stride}] === ${tag}`;
  }

  private firstCode(site: CodeSite): string {
    return site.bind(this.slotPages[0], 'slots');
  }

  private writeAdd(site: CodeSite, field: Field, slot: string, input: string): void {
    const { name, aggregate, packed, at, ofSlots } = field;
    if (packed !== undefined)
      return site.statement(`${bindPacked(site, field)}.add(${this.firstCode(site)}, ${slot} * ${this.stride} + ${at}, ${input});`);
    const { reduce } = this.aggregate;
    const cells = site.bind(ofSlots, `slots_${name}`);
    const before = site.evaluate(`${cells}.read(${slot})`);
    const added =
      reduce === undefined
        ? `${site.bind(aggregate.definition, `aggregate_${name}`)}.add(${before}, ${input})`
        : `${before} === undefined ? ${input} : ${site.bind(reduce, 'reduce')}(${before}, ${input})`;
    site.statement(`${cells}.write(${slot}, ${site.evaluate(added)});`);
  }

  private writeFunctions(site: CodeSite): void {
    const self = site.bind(this, 'accumulators');
    const { fields } = this;
    /** A call for each field, as `(row, from, …)` needs it. */
    const calls = (ofCells: (field: Field, i: number) => string, ofPacked: (field: Field, i: number) => string): string[] =>
      fields.map((field, i) =>
        field.packed === undefined
          ? `${cellsCode(site, field, 'row')}.${ofCells(field, i)}`
          : `${bindPacked(site, field)}.${ofPacked(field, i)}`,
      );
    const at = ({ at: place }: Field): string => `page, start + ${place}`;
    const row = this.placeCode(site, 'row', '');
    const clears = calls(() => 'reset(index)', (field) => `reset(${at(field)})`); // prettier-ignore
    const adds = calls((_, i) => `add(index, in${i})`, (field, i) => `add(${at(field)}, in${i})`); // prettier-ignore
    const results = calls(() => 'result(index)', (field) => `result(${at(field)})`); // prettier-ignore
    const merges = calls(
      (field) => `merge(index, ${cellsCode(site, field, 'from')}, indexFrom)`,
      (field) => `merge(${at(field)}, pageFrom, startFrom + ${field.at})`,
    );
    const only = fields.findIndex(({ name }) => name === this.aggregate.only);
    const whole = `{ ${fields.map(({ name }, i) => `${property(name)}: ${results[i]!}`).join(', ')} }`;
    const inputs = fields.map((_, i) => `, in${i}`).join('');
    site.once(`${self}.clear = (row) => { ${row} ${clears.join('; ')}; };`);
    site.once(`${self}.add = (row${inputs}) => { ${row} ${adds.join('; ')}; };`);
    site.once(`${self}.merge = (row, from) => { ${row} ${this.placeCode(site, 'from', 'From')} ${merges.join('; ')}; };`);
    site.once(`${self}.result = (row) => { ${row} return ${only < 0 ? whole : results[only]!}; };`);
  }

  /** Names for the page that holds a row, where in it the row starts, and its place among those of its kind. */
  private placeCode(site: CodeSite, row: string, suffix: string): string {
    const pages = `(${row} < ${POOL} ? ${site.bind(this.slotPages, 'slotPages')} : ${site.bind(this.poolPages, 'poolPages')})`;
    const index = `const index${suffix} = ${row} & ${POOL - 1};`;
    const page = `const page${suffix} = ${pages}[index${suffix} >>> ${this.pageBits}];`;
    return `${index} ${page} const start${suffix} = (${row} & ${this.pageRows - 1}) * ${this.stride};`;
  }

  private clearFields(row: number): void {
    const start = this.startOf(row);
    for (const field of this.fields) {
      if (field.packed === undefined) cellsOf(field, row).reset(indexOf(row));
      else field.packed.reset(this.pageOf(row), start + field.at);
    }
  }

  private mergeFields(into: number, from: number): void {
    for (const field of this.fields) {
      const { packed, at } = field;
      if (packed === undefined) cellsOf(field, into).merge(indexOf(into), cellsOf(field, from), indexOf(from));
      else packed.merge(this.pageOf(into), this.startOf(into) + at, this.pageOf(from), this.startOf(from) + at);
    }
  }

  private resultOfFields(row: number): unknown {
    const result: Record<string, unknown> = {};
    for (const field of this.fields) {
      const { name, packed, at } = field;
      const value =
        packed === undefined ? cellsOf(field, row).result(indexOf(row)) : packed.result(this.pageOf(row), this.startOf(row) + at);
      if (name === this.aggregate.only) return value;
      result[name] = value;
    }
    return result;
  }

  private pageOf(row: number): Float64Array {
    return row < POOL ? this.slotPages[row >>> this.pageBits]! : this.poolPages[indexOf(row) >>> this.pageBits]!;
  }

  private startOf(row: number): number {
    return (row & (this.pageRows - 1)) * this.stride;
  }

  /** The pool's first page starts small and doubles: thousands of operators may hold a few rows each. */
  private growPool(): void {
    const { stride, pageRows, poolPages } = this;
    const first = poolPages[0];
    if (first === undefined || this.capacity >= pageRows) {
      const rows = first === undefined ? FIRST_CAPACITY : pageRows;
      poolPages.push(new Float64Array(rows * stride));
      this.capacity += rows;
    } else {
      poolPages[0] = new Float64Array(first.length * 2);
      poolPages[0].set(first);
      this.capacity *= 2;
    }
    for (const { ofPool } of this.objects) ofPool.reserve(this.capacity);
  }
}

/** Whether a row is that of a slot. */
export function isOfSlot(row: number): boolean {
  return row < POOL;
}

/** A row's place among those of its kind. */
export function indexOf(row: number): number {
  return row & (POOL - 1);
}

function cellsOf({ ofSlots, ofPool }: Field, row: number): Cells {
  return row < POOL ? ofSlots : ofPool;
}

function cellsCode(site: CodeSite, { name, ofSlots, ofPool }: Field, row: string): string {
  return `(${row} < ${POOL} ? ${site.bind(ofSlots, `slots_${name}`)} : ${site.bind(ofPool, `pool_${name}`)})`;
}

function bindPacked(site: CodeSite, { aggregate, packed }: Field): string {
  return site.bind(packed, `${aggregate.name}_`);
}
