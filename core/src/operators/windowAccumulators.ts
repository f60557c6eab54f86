import type { Aggregate } from '../state/aggregate.ts';
import type { Cells } from '../state/cells.ts';
import { PAGE_BITS, PAGE_MASK, PAGE_SIZE } from '../state/column.ts';
import type { PackedAggregate } from '../state/packed.ts';
import { property } from './aggregateCode.ts';
import type { CodeSite } from './codeSite.ts';
import type { WindowAggregate } from './windowAggregate.ts';

const FIRST_CAPACITY = 16;

/** A field of the aggregate: numbers of a row from `at` on, or a cell of a column. */
interface Field {
  readonly name: string;
  readonly aggregate: Aggregate<never, unknown>;
  readonly packed: PackedAggregate | undefined;
  readonly at: number;
  readonly cells: Cells;
}

/**
 * The accumulators of panes, a row for each, no object where the aggregates need none. The numbers of a row stand side by side: rows are
 * touched in no order, and this way one piece of memory is fetched for each. Rows are handed out and taken back; which pane a
 * row belongs to is its owner's business, who can also leave a number in it, the tag.
 */
export class WindowAccumulators {
  /** How many rows there is room for. What an owner keeps by row grows with it. */
  capacity = 0;
  /** The rows' numbers: `stride` for each, the first of which is the tag. */
  readonly pages: Float64Array[] = [];
  readonly stride: number;
  // Plain versions; a generated driver replaces them by straight lines of monomorphic calls.
  /** Makes a row's accumulators empty. */
  reset: (row: number) => void;
  /** Folds a row into another. */
  merge: (into: number, from: number) => void;
  /** A row's result. */
  result: (row: number) => unknown;
  private readonly aggregate: WindowAggregate;
  private readonly fields: readonly Field[];
  private readonly objects: readonly Cells[];
  private readonly taken: unknown[];
  private readonly free: number[] = [];
  private used = 0;

  constructor(aggregate: WindowAggregate) {
    const fields: Field[] = [];
    let stride = 1;
    for (const [name, each] of Object.entries(aggregate.shape)) {
      const cells = each.cells();
      const { packed } = cells;
      fields.push({ name, aggregate: each, packed, at: stride, cells });
      stride += packed?.width ?? 0;
    }
    this.aggregate = aggregate;
    this.fields = fields;
    this.stride = stride;
    this.objects = fields.flatMap(({ packed, cells }) => (packed === undefined ? [cells] : []));
    this.taken = fields.map(() => undefined);
    this.reset = (row) => this.resetFields(row);
    this.merge = (into, from) => this.mergeFields(into, from);
    this.result = (row) => this.resultOfFields(row);
    this.grow();
  }

  /** An empty row. `capacity` may have grown. */
  allocate(): number {
    const row = this.free.pop() ?? this.used++;
    if (row === this.capacity) this.grow();
    this.reset(row);
    return row;
  }

  release(row: number): void {
    for (let i = 0; i < this.objects.length; i++) this.objects[i]!.write(row, undefined);
    this.free.push(row);
  }

  tag(row: number): number {
    return this.pages[row >>> PAGE_BITS]![(row & PAGE_MASK) * this.stride]!;
  }

  setTag(row: number, tag: number): void {
    this.pages[row >>> PAGE_BITS]![(row & PAGE_MASK) * this.stride] = tag;
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
    const { fields, taken } = this;
    const page = this.pageOf(row);
    const start = this.startOf(row);
    for (let i = 0; i < fields.length; i++) {
      const { packed, at, cells } = fields[i]!;
      if (packed === undefined) cells.add(row, taken[i]);
      else packed.add(page, start + at, taken[i] as number);
    }
  }

  /** A row as plain data. */
  read(row: number): Record<string, unknown> {
    const accumulators: Record<string, unknown> = {};
    for (const { name, packed, at, cells } of this.fields)
      accumulators[name] = packed === undefined ? cells.read(row) : packed.read(this.pageOf(row), this.startOf(row) + at);
    return accumulators;
  }

  /** Fills an empty row from plain data. A field that the shape gained stays empty; one that it lost is left out. */
  write(row: number, accumulators: Readonly<Record<string, unknown>>): void {
    for (const { name, packed, at, cells } of this.fields) {
      if (!Object.hasOwn(accumulators, name)) continue;
      if (packed === undefined) cells.write(row, accumulators[name]);
      else packed.write(this.pageOf(row), this.startOf(row) + at, accumulators[name]);
    }
  }

  /** Writes `take` into a driver, and gives what writes `addTaken`. */
  writeTake(site: CodeSite): (row: string) => void {
    this.writeFunctions(site);
    const inputs = this.fields.map(({ aggregate: { of }, name }) =>
      of === undefined ? site.value : site.evaluate(`${site.bind(of, `of_${name}`)}(${site.value})`),
    );
    return (row) => {
      site.statement(this.place(site, row, ''));
      this.fields.forEach((field, i) => this.writeAdd(site, field, row, inputs[i]!));
    };
  }

  private writeAdd(site: CodeSite, { name, aggregate, packed, at, cells }: Field, row: string, input: string): void {
    if (packed !== undefined) return site.statement(`${site.bind(packed, `${aggregate.name}_`)}.add(page, start + ${at}, ${input});`);
    const { reduce } = this.aggregate;
    const bound = site.bind(cells, `cells_${name}`);
    const before = site.evaluate(`${bound}.read(${row})`);
    const added =
      reduce === undefined
        ? `${site.bind(aggregate.definition, `aggregate_${name}`)}.add(${before}, ${input})`
        : `${before} === undefined ? ${input} : ${site.bind(reduce, 'reduce')}(${before}, ${input})`;
    site.statement(`${bound}.write(${row}, ${site.evaluate(added)});`);
  }

  private writeFunctions(site: CodeSite): void {
    const self = site.bind(this, 'accumulators');
    const { fields } = this;
    const of = ({ name, packed, aggregate, cells }: Field): string =>
      packed === undefined ? site.bind(cells, `cells_${name}`) : site.bind(packed, `${aggregate.name}_`);
    const resets = fields.map((field) =>
      field.packed === undefined ? `${of(field)}.reset(row);` : `${of(field)}.reset(page, start + ${field.at});`,
    );
    const merges = fields.map((field) =>
      field.packed === undefined
        ? `${of(field)}.merge(row, ${of(field)}, from);`
        : `${of(field)}.merge(page, start + ${field.at}, pageFrom, startFrom + ${field.at});`,
    );
    const results = fields.map((field) =>
      field.packed === undefined ? `${of(field)}.result(row)` : `${of(field)}.result(page, start + ${field.at})`,
    );
    const only = fields.findIndex(({ name }) => name === this.aggregate.only);
    const whole = `{ ${fields.map(({ name }, i) => `${property(name)}: ${results[i]!}`).join(', ')} }`;
    site.once(`${self}.reset = (row) => { ${this.place(site, 'row', '')} ${resets.join(' ')} };`);
    site.once(
      `${self}.merge = (row, from) => { ${this.place(site, 'row', '')} ${this.place(site, 'from', 'From')} ${merges.join(' ')} };`,
    );
    site.once(`${self}.result = (row) => { ${this.place(site, 'row', '')} return ${only < 0 ? whole : results[only]!}; };`);
  }

  /** Names for a row's page and where it starts in it. */
  private place(site: CodeSite, row: string, suffix: string): string {
    const pages = site.bind(this.pages, 'pages');
    return `const page${suffix} = ${pages}[${row} >>> ${PAGE_BITS}], start${suffix} = (${row} & ${PAGE_MASK}) * ${this.stride};`;
  }

  private resetFields(row: number): void {
    for (const { packed, at, cells } of this.fields) {
      if (packed === undefined) cells.reset(row);
      else packed.reset(this.pageOf(row), this.startOf(row) + at);
    }
  }

  private mergeFields(into: number, from: number): void {
    for (const { packed, at, cells } of this.fields) {
      if (packed === undefined) cells.merge(into, cells, from);
      else packed.merge(this.pageOf(into), this.startOf(into) + at, this.pageOf(from), this.startOf(from) + at);
    }
  }

  private resultOfFields(row: number): unknown {
    const result: Record<string, unknown> = {};
    for (const { name, packed, at, cells } of this.fields) {
      const value = packed === undefined ? cells.result(row) : packed.result(this.pageOf(row), this.startOf(row) + at);
      if (name === this.aggregate.only) return value;
      result[name] = value;
    }
    return result;
  }

  private pageOf(row: number): Float64Array {
    return this.pages[row >>> PAGE_BITS]!;
  }

  private startOf(row: number): number {
    return (row & PAGE_MASK) * this.stride;
  }

  /** The first page starts small and doubles: thousands of operators may hold a few rows each. */
  private grow(): void {
    const first = this.pages[0];
    if (this.capacity >= PAGE_SIZE) this.addPage(PAGE_SIZE);
    else if (first === undefined) this.addPage(FIRST_CAPACITY);
    else {
      this.pages[0] = new Float64Array(2 * this.capacity * this.stride);
      this.pages[0].set(first);
      this.capacity *= 2;
    }
    for (const cells of this.objects) cells.reserve(this.capacity);
  }

  private addPage(rows: number): void {
    this.pages.push(new Float64Array(rows * this.stride));
    this.capacity += rows;
  }
}
