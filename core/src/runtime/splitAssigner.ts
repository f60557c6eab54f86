import type { ReadContext, SourceReader } from '../operators/connector.ts';
import type { InputSize } from './inputSize.ts';
import type { SourceFeed } from './sourceFeed.ts';

/** Somebody who waits for splits to end. */
interface Waiter {
  readonly missing: Set<string>;
  readonly resolve: () => void;
}

/** Finds a source's splits and deals them out to its subtasks, each split once. */
export class SplitAssigner {
  private readonly reader: SourceReader<unknown, unknown>;
  private readonly feeds: readonly SourceFeed[];
  private readonly size: InputSize | undefined;
  private readonly seen = new Set<string>();
  private readonly over = new Set<string>();
  private waiters: Waiter[] = [];
  private next = 0;

  /** `size` adds up what the splits hold, where somebody wants to know. */
  constructor(reader: SourceReader<unknown, unknown>, feeds: readonly SourceFeed[], size?: InputSize) {
    this.reader = reader;
    this.feeds = feeds;
    this.size = size;
    for (const feed of feeds) feed.onSplitEnd = (split) => this.onEnded(split);
  }

  /** Runs until there are no more splits to find. */
  async run(context: ReadContext): Promise<void> {
    const { signal } = context;
    signal.addEventListener('abort', () => this.release(() => true));
    try {
      const splits = this.reader.splits({ ...context, ended: (names) => this.ended(names, signal) });
      if (Symbol.asyncIterator in splits) for await (const found of splits) this.assign(found);
      else this.assign(await splits);
      for (const feed of this.feeds) feed.endAssignment();
    } catch (error) {
      if (!signal.aborted) this.feeds[0]!.fail(error);
    }
  }

  private assign(splits: readonly string[]): void {
    const dealt = this.feeds.map((): string[] => []);
    const fresh = [...new Set(splits)].filter((split) => !this.seen.has(split));
    this.size?.add(fresh);
    for (const split of fresh) {
      this.seen.add(split);
      dealt[this.next++ % this.feeds.length]!.push(split);
    }
    dealt.forEach((share, i) => {
      if (share.length > 0) this.feeds[i]!.assign(share);
    });
  }

  private ended(splits: readonly string[], signal: AbortSignal): Promise<void> {
    const missing = new Set(splits.filter((split) => !this.over.has(split)));
    if (missing.size === 0 || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => this.waiters.push({ missing, resolve }));
  }

  private onEnded(split: string): void {
    this.over.add(split);
    for (const { missing } of this.waiters) missing.delete(split);
    this.release(({ missing }) => missing.size === 0);
  }

  private release(isFree: (waiter: Waiter) => boolean): void {
    const free = this.waiters.filter(isFree);
    if (free.length === 0) return;
    this.waiters = this.waiters.filter((waiter) => !free.includes(waiter));
    for (const { resolve } of free) resolve();
  }
}
