import { type AggregateField, fieldsOf, readFields, resultOfFields, writeFields } from '../state/aggregateTable.ts';
import { ObjectCells } from '../state/cells.ts';
import { resultCode } from './aggregateCode.ts';
import type { CodeSite } from './codeSite.ts';
import type { WindowAggregate } from './windowAggregate.ts';

const FIRST_CAPACITY = 16;
const LARGEST_STEP = 4096;

/**
 * The accumulators of panes: numbers in columns, a row per pane, no object where the aggregates need none. Rows are handed out and taken
 * back; which pane a row belongs to is its owner's business.
 */
export class WindowAccumulators {
  /** How many rows there is room for. What an owner keeps by row grows with it. */
  capacity: number = FIRST_CAPACITY;
  // Plain versions; a generated driver replaces them by straight lines of monomorphic calls.
  /** Makes a row's accumulators empty. */
  reset: (row: number) => void;
  /** Folds a row into another. */
  merge: (into: number, from: number) => void;
  /** A row's result. */
  result: (row: number) => unknown;
  private readonly aggregate: WindowAggregate;
  private readonly fields: readonly AggregateField[];
  private readonly objects: readonly ObjectCells[];
  private readonly taken: unknown[];
  private readonly free: number[] = [];
  private used = 0;

  constructor(aggregate: WindowAggregate) {
    const fields = fieldsOf(aggregate.shape);
    this.aggregate = aggregate;
    this.fields = fields;
    this.objects = fields.flatMap(({ cells }) => (cells instanceof ObjectCells ? [cells] : []));
    this.taken = fields.map(() => undefined);
    this.reserve();
    const only = fields.find(({ name }) => name === aggregate.only)?.cells;
    this.reset = (row) => {
      for (const { cells } of fields) cells.reset(row);
    };
    this.merge = (into, from) => {
      for (const { cells } of fields) cells.merge(into, cells, from);
    };
    this.result = (row) => (only === undefined ? resultOfFields(fields, row) : only.result(row));
  }

  /** An empty row. `capacity` may have grown. */
  allocate(): number {
    const row = this.free.pop() ?? this.used++;
    if (row === this.capacity) {
      this.capacity += Math.min(this.capacity, LARGEST_STEP);
      this.reserve();
    }
    this.reset(row);
    return row;
  }

  release(row: number): void {
    for (let i = 0; i < this.objects.length; i++) this.objects[i]!.write(row, undefined);
    this.free.push(row);
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
    for (let i = 0; i < fields.length; i++) fields[i]!.cells.add(row, taken[i]);
  }

  /** A row as plain data. */
  read(row: number): Record<string, unknown> {
    return readFields(this.fields, row);
  }

  /** Fills a row from plain data. */
  write(row: number, accumulators: unknown): void {
    writeFields(this.fields, row, accumulators as Readonly<Record<string, unknown>>);
  }

  /** Writes `take` into a driver, and gives what writes `addTaken`. */
  writeTake(site: CodeSite): (row: string) => void {
    this.writeFunctions(site);
    const inputs = this.fields.map(({ aggregate: { of }, name }) =>
      of === undefined ? undefined : site.evaluate(`${site.bind(of, `of_${name}`)}(${site.value})`),
    );
    return (row) => this.fields.forEach((field, i) => this.writeField(site, field, row, inputs[i]));
  }

  private writeField(site: CodeSite, { name, aggregate, cells }: AggregateField, row: string, input: string | undefined): void {
    const bound = site.bind(cells, `cells_${name}`);
    if (input !== undefined) return site.statement(`${bound}.add(${row}, ${input});`);
    if (!(cells instanceof ObjectCells)) return site.statement(`${bound}.add(${row}, ${site.value});`);
    const { reduce } = this.aggregate;
    const before = site.evaluate(`${bound}.read(${row})`);
    const added =
      reduce === undefined
        ? `${site.bind(aggregate.definition, `aggregate_${name}`)}.add(${before}, ${site.value})`
        : `${before} === undefined ? ${site.value} : ${site.bind(reduce, 'reduce')}(${before}, ${site.value})`;
    site.statement(`${bound}.write(${row}, ${site.evaluate(added)});`);
  }

  private writeFunctions(site: CodeSite): void {
    const self = site.bind(this, 'accumulators');
    const bound = this.fields.map(({ cells, name }) => site.bind(cells, `cells_${name}`));
    const only = this.fields.findIndex(({ name }) => name === this.aggregate.only);
    const result = only < 0 ? `(${resultCode(site, this.fields, 'row')})` : `${bound[only]!}.result(row)`;
    site.once(`${self}.reset = (row) => { ${bound.map((cells) => `${cells}.reset(row);`).join(' ')} };`);
    site.once(`${self}.merge = (into, from) => { ${bound.map((cells) => `${cells}.merge(into, ${cells}, from);`).join(' ')} };`);
    site.once(`${self}.result = (row) => ${result};`);
  }

  private reserve(): void {
    for (const { cells } of this.fields) cells.reserve(this.capacity);
  }
}
