import type { ReadContext, SourceReader } from '../operators/connector.ts';
import type { InputSize } from './inputSize.ts';
import type { SplitTarget } from './taskHost.ts';

/** Somebody who waits for splits to end. */
interface Waiter {
  readonly missing: Set<string>;
  readonly resolve: () => void;
}

/** The state of a source's discovery: plain data. */
export interface AssignerSnapshot {
  readonly seen: readonly string[];
  /** Whose turn it is. */
  readonly next: number;
}

/** Finds a source's splits and deals them out to its subtasks, each split once. */
export class SplitAssigner {
  private readonly reader: SourceReader<unknown, unknown>;
  private readonly targets: readonly SplitTarget[];
  private readonly size: InputSize | undefined;
  private readonly seen = new Set<string>();
  private readonly over = new Set<string>();
  private waiters: Waiter[] = [];
  private next = 0;

  /** `size` adds up what the splits hold, where somebody wants to know. */
  constructor(reader: SourceReader<unknown, unknown>, targets: readonly SplitTarget[], size?: InputSize) {
    this.reader = reader;
    this.targets = targets;
    this.size = size;
  }

  snapshot(): AssignerSnapshot {
    return { seen: [...this.seen], next: this.next };
  }

  /** Knows again which splits were dealt out; those that no reader has any more are over. Before it runs. */
  restore({ seen, next }: AssignerSnapshot): void {
    const open = new Set(this.targets.flatMap((target) => target.openSplits()));
    for (const split of seen) {
      this.seen.add(split);
      if (!open.has(split)) this.over.add(split);
    }
    this.next = next;
  }

  /** Runs until there are no more splits to find. */
  async run(context: ReadContext): Promise<void> {
    const { signal } = context;
    signal.addEventListener('abort', () => this.release(() => true));
    try {
      const splits = this.reader.splits({ ...context, ended: (names) => this.ended(names, signal) });
      if (Symbol.asyncIterator in splits) for await (const found of splits) this.assign(found);
      else this.assign(await splits);
      for (const target of this.targets) target.endAssignment();
    } catch (error) {
      if (!signal.aborted) this.targets[0]!.fail(error);
    }
  }

  private assign(splits: readonly string[]): void {
    const dealt = this.targets.map((): string[] => []);
    const fresh = [...new Set(splits)].filter((split) => !this.seen.has(split));
    this.size?.add(fresh);
    for (const split of fresh) {
      this.seen.add(split);
      dealt[this.next++ % this.targets.length]!.push(split);
    }
    // A split that is dealt out after this state was taken for a checkpoint reaches its reader behind the checkpoint's barrier.
    for (const [i, target] of this.targets.entries()) if (dealt[i]!.length > 0) target.assign(dealt[i]!);
  }

  private ended(splits: readonly string[], signal: AbortSignal): Promise<void> {
    const missing = new Set(splits.filter((split) => !this.over.has(split)));
    if (missing.size === 0 || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => this.waiters.push({ missing, resolve }));
  }

  /** A subtask has read a split to its end. */
  onEnded(split: string): void {
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
