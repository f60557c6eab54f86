import type { ReadContext, SourceReader } from '../operators/connector.ts';
import type { SourceFeed } from './sourceFeed.ts';

/** Finds a source's splits and deals them out to its subtasks, each split once. */
export class SplitAssigner {
  private readonly reader: SourceReader<unknown, unknown>;
  private readonly feeds: readonly SourceFeed[];
  private readonly seen = new Set<string>();
  private next = 0;

  constructor(reader: SourceReader<unknown, unknown>, feeds: readonly SourceFeed[]) {
    this.reader = reader;
    this.feeds = feeds;
  }

  /** Runs until there are no more splits to find. */
  async run(context: ReadContext): Promise<void> {
    try {
      const splits = this.reader.splits(context);
      if (Symbol.asyncIterator in splits) for await (const found of splits) this.assign(found);
      else this.assign(await splits);
      for (const feed of this.feeds) feed.endAssignment();
    } catch (error) {
      if (!context.signal.aborted) this.feeds[0]!.fail(error);
    }
  }

  private assign(splits: readonly string[]): void {
    const dealt = this.feeds.map((): string[] => []);
    for (const split of splits) {
      if (this.seen.has(split)) continue;
      this.seen.add(split);
      dealt[this.next++ % this.feeds.length]!.push(split);
    }
    dealt.forEach((share, i) => {
      if (share.length > 0) this.feeds[i]!.assign(share);
    });
  }
}
