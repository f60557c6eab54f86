import type { SourceReader } from '../operators/connector.ts';

/** What the size of an input is counted in. */
export type SizeUnit = 'bytes' | 'records';

/** How much there is to read, in bytes where every split knows its own, else in records. */
export interface KnownSize {
  readonly unit: SizeUnit;
  readonly total: number;
}

/** Adds up what the splits of a source hold, as they are found. Asks the reader beside the reading, never before it. */
export class InputSize {
  private readonly reader: Pick<SourceReader<unknown, unknown>, 'size' | 'count'>;
  private readonly totals: Record<SizeUnit, number> = { bytes: 0, records: 0 };
  /** How many splits answered, by unit. */
  private readonly answers: Record<SizeUnit, number> = { bytes: 0, records: 0 };
  private splits = 0;
  private asking: Promise<void> = Promise.resolve();

  constructor(reader: Pick<SourceReader<unknown, unknown>, 'size' | 'count'>) {
    this.reader = reader;
  }

  /** `undefined` while one of the splits has not said, and for good if it cannot. */
  get known(): KnownSize | undefined {
    const unit = (['bytes', 'records'] as const).find((candidate) => this.answers[candidate] === this.splits);
    return unit === undefined || this.splits === 0 ? undefined : { unit, total: this.totals[unit] };
  }

  add(splits: readonly string[]): void {
    this.splits += splits.length;
    // One after the other: sizes are not worth a stampede on the disk that is being read.
    this.asking = this.asking.then(async () => {
      for (const split of splits) await this.ask(split);
    });
  }

  private async ask(split: string): Promise<void> {
    const { reader } = this;
    // A size that cannot be told is no reason to fail; reading the split will say what is wrong with it.
    const [bytes, records] = await Promise.all([reader.size?.(split).catch(() => undefined), reader.count?.(split).catch(() => undefined)]);
    this.note('bytes', bytes);
    this.note('records', records);
  }

  private note(unit: SizeUnit, amount: number | undefined): void {
    if (amount === undefined) return;
    this.totals[unit] += amount;
    this.answers[unit]++;
  }
}
